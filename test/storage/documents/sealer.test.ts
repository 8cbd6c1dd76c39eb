import { createDecipheriv, hkdfSync } from "node:crypto";
import { expect, test } from "vitest";
import { createSealer } from "../../../storage/documents/sealer.ts";

const [first, second] = [
  "the-first-key-of-32-characters-or-more",
  "the-second-key-of-32-characters-too",
];
const context = "session:1001:a";
const purpose = "session tokens";

test("unseals every text that it has sealed", async () => {
  const sealer = createSealer([first], purpose);
  for (const text of ["", "hunter2", "😀 ü \u0000", "x".repeat(100_000)]) {
    const sealed = await sealer.seal(text, context);
    expect(await createSealer([first], purpose).unseal(sealed, context)).toEqual({
      text,
      hasOldKey: false,
    });
  }
});

test("seals with AES-256-GCM and keys by HKDF, as node:crypto does", async () => {
  const [id = "", encoded = ""] = (
    await createSealer([first], purpose).seal("hunter2", context)
  ).split(".");
  const derive = (label: string, length: number) =>
    Buffer.from(hkdfSync("sha256", first, "", `storefront-core ${purpose} ${label}`, length));
  expect(id).toBe(derive("key id", 8).toString("base64url"));
  const bytes = Buffer.from(encoded, "base64url");
  expect(bytes).toHaveLength(12 + "hunter2".length + 16);
  const decipher = createDecipheriv("aes-256-gcm", derive("key", 32), bytes.subarray(0, 12));
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-16));
  expect(decipher.update(bytes.subarray(12, -16), undefined, "utf8") + decipher.final("utf8")).toBe(
    "hunter2",
  );
});

test("seals the same text differently each time", async () => {
  const sealer = createSealer([first], purpose);
  const sealed = await Promise.all(Array.from({ length: 500 }, () => sealer.seal("a", context)));
  const ivs = sealed.map((text) =>
    Buffer.from(text.split(".")[1] ?? "", "base64url").subarray(0, 12),
  );
  expect(new Set(ivs.map(String)).size).toBe(500);
});

test("unseals nothing in another context or for another purpose", async () => {
  const sealer = createSealer([first], purpose);
  const sealed = await sealer.seal("hunter2", context);
  for (const other of ["session:1001:b", "session:1002:a", "", `${context} `]) {
    expect(await sealer.unseal(sealed, other)).toBeUndefined();
  }
  expect(await createSealer([first], "other things").unseal(sealed, context)).toBeUndefined();
});

test("unseals nothing that was altered, cut or made up", async () => {
  const sealer = createSealer([first], purpose);
  const sealed = await sealer.seal("hunter2", context);
  const [id = "", encoded = ""] = sealed.split(".");
  for (let bit = 0; bit < Buffer.from(encoded, "base64url").length * 8; bit++) {
    const bytes = Buffer.from(encoded, "base64url");
    bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(
      await sealer.unseal(`${id}.${bytes.toString("base64url")}`, context),
      `${bit}`,
    ).toBeUndefined();
  }
  const strange = ["", ".", "hunter2", id, `${id}.`, `${id}.AAAA`, `x${sealed}`, `${id}.!`];
  for (const text of [...strange, sealed.slice(0, -4), `${sealed}\n`]) {
    expect(await sealer.unseal(text, context), text).toBeUndefined();
  }
});

test("seals with the last key, unseals with each, and says which is old", async () => {
  const old = await createSealer([first], purpose).seal("hunter2", context);
  const rotated = createSealer([first, second], purpose);
  expect(await rotated.unseal(old, context)).toEqual({ text: "hunter2", hasOldKey: true });
  const next = await rotated.seal("hunter2", context);
  expect(await rotated.unseal(next, context)).toEqual({ text: "hunter2", hasOldKey: false });
  const rest = createSealer([second], purpose);
  expect(await rest.unseal(next, context)).toEqual({ text: "hunter2", hasOldKey: false });
  expect(await rest.unseal(old, context)).toBeUndefined();
});
