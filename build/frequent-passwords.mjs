// Writes the list of common passwords for workers: `#passwords` stands for it in a worker's bundle. The whole list is
// more than half of such a bundle. ASVS 5.0 (6.2.4) requires the 3,000 most common passwords that are long enough.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { dictionary } from "@zxcvbn-ts/language-common";

// The list is in the order of frequency.
const passwords = dictionary["passwords-common"]
  .filter(({ length }) => length >= 8)
  .slice(0, 3_000)
  .toSorted();

// Front coding: instead of the beginning that a password shares with the one before, a capital letter has its length.
// Compressed, this takes 8 kB instead of 13.
let before = "";
const code = passwords
  .map((password) => {
    let shared = 0;
    while (shared < 25 && password[shared] === before[shared]) shared++;
    before = password;
    return String.fromCharCode(65 + shared) + password.slice(shared);
  })
  .join("");

const text = `const code = ${JSON.stringify(code)};
export async function loadPasswords() {
  let last = "";
  return [...code.matchAll(/([A-Z])([^A-Z]*)/g)].map(
    ([, shared, rest]) => (last = last.slice(0, shared.charCodeAt(0) - 65) + rest),
  );
}
`;
const file = new URL("../dist/rpc/accounts/frequent-passwords.js", import.meta.url);
await writeFile(file, text);
const { loadPasswords } = await import(file);
assert.deepEqual(await loadPasswords(), passwords);
