import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";

const folder = new URL("../../bench/", import.meta.url);
const entries: Record<string, string> = {
  "storefront-core": "server/index",
  "storefront-core/storage": "storage/index",
};

// Nothing else checks these imports: the bench is JavaScript, and runs against the built files.
test("the bench imports only what the source exports", async () => {
  const missing = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".mjs"))) {
    const text = readFileSync(new URL(file, folder), "utf8");
    for (const [, names = "", from = ""] of text.matchAll(/import \{([^}]+)\} from "([^"]+)"/g)) {
      const path = /^\.\.\/dist\/(.+)\.js$/.exec(from)?.[1] ?? entries[from];
      if (path === undefined) continue;
      const { href } = new URL(`../../${path}.ts`, import.meta.url);
      const module = (await import(href)) as Record<string, unknown>;
      const absent = names.split(",").filter((name) => !(name.trim() in module));
      missing.push(...absent.map((name) => `${file}: ${name.trim()} of ${from}`));
    }
  }
  expect(missing).toEqual([]);
});
