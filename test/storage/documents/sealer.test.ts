import { createDecipheriv, hkdfSync } from "node:crypto";
import { expect, test } from "vitest";
import { Vault } from "../../../storage/documents/sealer.ts";

const [first, second] = [
  "the-first-key-of-32-characters-or-more",
  "the-second-key-of-32-characters-too",
];
const place = "session:1001:a";
const purpose = "session tokens";

test("opens what it has sealed, any text", async () => {
  const vault = new Vault([first], purpose);
  for (const text of ["", "hunter2", "😀 ü \u0000", "x".repeat(100_000)]) {
    const sealed = await vault.seal(text, place);
    expect(await new Vault([first], purpose).open(sealed, place)).toEqual({ text, isOld: false });
  }
});

test("is AES-256-GCM with keys by HKDF, as others calculate it", async () => {
  const [id = "", encoded = ""] = (await new Vault([first], purpose).seal("hunter2", place)).split(
    ".",
  );
  const derive = (label: string, length: number) =>
    Buffer.from(hkdfSync("sha256", first, "", `storefront-core ${purpose} ${label}`, length));
  expect(id).toBe(derive("key id", 8).toString("base64url"));
  const bytes = Buffer.from(encoded, "base64url");
  expect(bytes).toHaveLength(12 + "hunter2".length + 16);
  const decipher = createDecipheriv("aes-256-gcm", derive("key", 32), bytes.subarray(0, 12));
  decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(-16));
  expect(decipher.update(bytes.subarray(12, -16), undefined, "utf8") + decipher.final("utf8")).toBe(
    "hunter2",
  );
});

test("seals the same text differently each time", async () => {
  const vault = new Vault([first], purpose);
  const sealed = await Promise.all(Array.from({ length: 500 }, () => vault.seal("a", place)));
  const ivs = sealed.map((text) =>
    Buffer.from(text.split(".")[1] ?? "", "base64url").subarray(0, 12),
  );
  expect(new Set(ivs.map(String)).size).toBe(500);
});

test("opens nothing that lay elsewhere, nor for another purpose", async () => {
  const vault = new Vault([first], purpose);
  const sealed = await vault.seal("hunter2", place);
  for (const other of ["session:1001:b", "session:1002:a", "", `${place} `]) {
    expect(await vault.open(sealed, other)).toBeUndefined();
  }
  expect(await new Vault([first], "other things").open(sealed, place)).toBeUndefined();
});

test("opens nothing that was altered, cut or made up", async () => {
  const vault = new Vault([first], purpose);
  const sealed = await vault.seal("hunter2", place);
  const [id = "", encoded = ""] = sealed.split(".");
  for (let bit = 0; bit < Buffer.from(encoded, "base64url").length * 8; bit++) {
    const bytes = Buffer.from(encoded, "base64url");
    bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(
      await vault.open(`${id}.${bytes.toString("base64url")}`, place),
      `${bit}`,
    ).toBeUndefined();
  }
  const strange = ["", ".", "hunter2", id, `${id}.`, `${id}.AAAA`, `x${sealed}`, `${id}.!`];
  for (const text of [...strange, sealed.slice(0, -4), `${sealed}\n`]) {
    expect(await vault.open(text, place), text).toBeUndefined();
  }
});

test("seals with the last key and opens with all, and says which is old", async () => {
  const old = await new Vault([first], purpose).seal("hunter2", place);
  const rotated = new Vault([first, second], purpose);
  expect(await rotated.open(old, place)).toEqual({ text: "hunter2", isOld: true });
  const next = await rotated.seal("hunter2", place);
  expect(await rotated.open(next, place)).toEqual({ text: "hunter2", isOld: false });
  const rest = new Vault([second], purpose);
  expect(await rest.open(next, place)).toEqual({ text: "hunter2", isOld: false });
  expect(await rest.open(old, place)).toBeUndefined();
});
