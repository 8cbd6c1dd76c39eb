import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { parseEnvelope } from "../../storage/documents/envelope.ts";
import type { DocumentStore } from "../../storage/documents/documents.ts";
import { openDriver } from "../../storage/index.ts";
import { isStoredDocument } from "../../storage/sessions/session-document.ts";
import { isUserIndex } from "../../storage/sessions/user-index.ts";
import { openCounters, readRaw } from "../_documents.ts";

const folder = new URL("../../bench/", import.meta.url);
const entries: Record<string, string> = {
  "storefront-core": "server/index",
  "storefront-core/storage": "storage/index",
};

// Nothing else checks these imports: the bench is JavaScript, and runs against the built files.
test("the bench imports only exports of the source", async () => {
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

test.each([
  ["sessions", isStoredDocument],
  ["users", isUserIndex],
])("the bench fills a store with %s that the source can read", async (kind, isValid) => {
  // The path is no literal, because the bench has no types.
  const { fillStore } = (await import(new URL("others.mjs", folder).href)) as {
    fillStore(store: DocumentStore, kind: string, count: number): Promise<void>;
  };
  const driver = openDriver({ driver: "memory" });
  await fillStore(openCounters(driver).store, kind, 2);
  const keys = await driver.getKeys("", {});
  expect(keys).toHaveLength(2);
  for (const key of keys) {
    expect(parseEnvelope((await readRaw(driver, key)) ?? "")?.value).toSatisfy(isValid);
  }
});
