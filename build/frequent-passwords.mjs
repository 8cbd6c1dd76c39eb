// Writes the list of common passwords for workers: `#passwords` stands for it in a worker's bundle. The whole list is
// more than half of such a bundle. ASVS 5.0 (6.2.4) requires the 3,000 most common passwords that are long enough.
import { writeFile } from "node:fs/promises";
import { dictionary } from "@zxcvbn-ts/language-common";

// The list is in the order of frequency.
const passwords = dictionary["passwords-common"]
  .filter(({ length }) => length >= 8)
  .slice(0, 3_000)
  .join("\n");
const text = `export const loadPasswords = async () => ${JSON.stringify(passwords)}.split("\\n");\n`;
await writeFile(new URL("../dist/rpc/accounts/frequent-passwords.js", import.meta.url), text);
