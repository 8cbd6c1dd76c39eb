import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readSections, renderReadme, renderReference } from "../../_config-docs.ts";

const declared = readSections().flatMap(({ name, table, docs }) =>
  Object.entries(table).map(([key, entry]) => ({ key: `${name}.${key}`, entry, doc: docs[key] })),
);

test.each(declared)("$key has a line of documentation", ({ doc }) => {
  expect(doc?.text).toMatch(/\.$/);
});

test.each(
  declared.filter(({ entry }) => ["string", "number", "boolean"].includes(typeof entry.default)),
)("$key is documented with its default", ({ entry, doc }) => {
  expect(doc?.defaultText).toBe(JSON.stringify(entry.default));
});

test.each(declared.filter(({ entry }) => entry.derive !== undefined))(
  "$key has words for a default that depends on something",
  ({ doc }) => {
    expect(doc?.defaultText).toBeTruthy();
  },
);

test.each(declared.filter(({ entry }) => entry.default !== undefined))(
  "$key accepts its default",
  ({ entry }) => {
    expect(entry.schema.safeParse(entry.default).success).toBe(true);
  },
);

// To update both files: npm run docs:config
test("docs/config.md lists the keys of the program", async () => {
  await expect(renderReference()).toMatchFileSnapshot("../../../docs/config.md");
});

test("the README's table lists the keys of the program", async () => {
  const file = new URL("../../../README.md", import.meta.url);
  const readme = readFileSync(file, "utf8");
  await expect(renderReadme(readme)).toMatchFileSnapshot("../../../README.md");
});
