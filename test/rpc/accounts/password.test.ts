import { scryptSync } from "node:crypto";
import { afterEach, expect, test, vi } from "vitest";
import { hashPassword, verifyPassword } from "../../../rpc/accounts/password.ts";
import { systemRandom } from "../../../storage/random.ts";

vi.unmock("../../../rpc/accounts/password-cost.ts");

const derived = vi.hoisted(() => vi.fn<(options: unknown) => void>());
vi.mock("node:crypto", async (importOriginal) => {
  const crypto = await importOriginal<typeof import("node:crypto")>();
  return {
    ...crypto,
    scrypt: (...args: Parameters<typeof crypto.scrypt>) => {
      derived(args[3]);
      crypto.scrypt(...args);
    },
  };
});

const toText = (bytes: Buffer) => bytes.toString("base64").replaceAll("=", "");

afterEach(() => {
  derived.mockClear();
});

test("a password matches the hash of the same password only", async () => {
  const hash = await hashPassword("correct horse", systemRandom);
  expect(await verifyPassword("correct horse", hash)).toBe(true);
  for (const wrong of ["Correct horse", "correct horse ", "", "correct"]) {
    expect(await verifyPassword(wrong, hash)).toBe(false);
  }
});

test("hashPassword writes scrypt and its settings, which OWASP recommends, into the hash", async () => {
  const hash = await hashPassword("correct horse", systemRandom);
  const match = /^\$scrypt\$ln=15,r=8,p=3\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/.exec(hash);
  const [, salt = "", key] = match ?? [];
  const options = { N: 2 ** 15, r: 8, p: 3, maxmem: 2 ** 27 };
  const expected = scryptSync("correct horse", Buffer.from(salt, "base64"), 32, options);
  expect(key).toBe(toText(expected));
});

test("hashPassword uses a new salt for each hash", async () => {
  const [first, second] = await Promise.all([
    hashPassword("same", systemRandom),
    hashPassword("same", systemRandom),
  ]);
  expect(first).not.toBe(second);
});

test("verifyPassword does the same work without a hash, and returns false", async () => {
  const hash = await hashPassword("correct horse", systemRandom);
  derived.mockClear();
  await verifyPassword("correct horse", hash);
  // No password matches an unknown account.
  expect(await verifyPassword("correct horse", undefined)).toBe(false);
  expect(await verifyPassword("", undefined)).toBe(false);
  const [[known], [unknown]] = derived.mock.calls as [[object], [object]];
  expect(derived).toHaveBeenCalledTimes(3);
  expect(unknown).toEqual(known);
  expect(unknown).toMatchObject({ N: 2 ** 15, r: 8, p: 3 });
});

test("verifyPassword reads a hash with other settings", async () => {
  const salt = Buffer.from("salt-of-16-bytes");
  const key = scryptSync("correct horse", salt, 32, { N: 2 ** 10, r: 4, p: 1 });
  const hash = `$scrypt$ln=10,r=4,p=1$${toText(salt)}$${toText(key)}`;
  expect(await verifyPassword("correct horse", hash)).toBe(true);
  expect(await verifyPassword("wrong", hash)).toBe(false);
});

test("verifyPassword treats the same text from different keyboards as the same password", async () => {
  const hash = await hashPassword("Caf\u00e9 \ufb01ne", systemRandom);
  expect(await verifyPassword("Cafe\u0301 fine", hash)).toBe(true);
  expect(await verifyPassword("Cafe fine", hash)).toBe(false);
});

test("verifyPassword compares all of a long password", async () => {
  const long = "x".repeat(127);
  const hash = await hashPassword(`${long}a`, systemRandom);
  expect(await verifyPassword(`${long}a`, hash)).toBe(true);
  expect(await verifyPassword(`${long}b`, hash)).toBe(false);
});

test.each(["", "plain text", "$scrypt$ln=15,r=8,p=3$salt", "$argon2id$v=19$m=1$c2FsdA$aGFzaA"])(
  "an unknown hash format causes an error, not a wrong password: %j",
  async (hash) => {
    await expect(verifyPassword("correct horse", hash)).rejects.toThrow("cannot be read");
  },
);
