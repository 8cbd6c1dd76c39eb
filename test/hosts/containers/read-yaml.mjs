// Prints the documents of a YAML file as JSON: `node read-yaml.mjs <file> [schema]`. With a JSON schema, checks them first.
import { readFileSync } from "node:fs";
import { Ajv2019 } from "ajv/dist/2019.js";
import { parseAllDocuments } from "yaml";

const [, , file, schema] = process.argv;
const documents = parseAllDocuments(readFileSync(file, "utf8"), { merge: true });
const faults = documents.flatMap(({ errors, warnings }) => [...errors, ...warnings]);
if (faults.length > 0) throw faults[0];
const values = documents.map((document) => document.toJS());
if (schema !== undefined) {
  const rules = JSON.parse(readFileSync(schema, "utf8"), (key, value) =>
    isOldName(key, value) ? undefined : value,
  );
  const check = new Ajv2019({ strict: false, validateFormats: false }).compile(rules);
  for (const value of values) {
    if (!check(value)) throw new Error(JSON.stringify(check.errors));
  }
}
process.stdout.write(JSON.stringify(values));

/** Ajv knows the draft by another name, and IDs by another keyword. */
function isOldName(key, value) {
  return key === "$schema" || (key === "id" && typeof value === "string");
}
