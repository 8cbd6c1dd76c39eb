import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseTOML } from "confbox";
import { transform } from "esbuild";
import { describe, expect, test } from "vitest";
import { root } from "../_cli.ts";
import { readBlocks, type Block } from "../_snippets.ts";

const examples = readdirSync(join(root, "examples")).map((name) => `examples/${name}/README.md`);
const docs = readdirSync(join(root, "docs"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`);

/** Throws if a block isn't valid in its language. */
const checks: Readonly<Record<string, (block: Block) => unknown>> = {
  ts: ({ text }) => transform(text, { loader: "ts" }),
  js: ({ text }) => transform(isPartOfConfig(text) ? `({${text}})` : text, { loader: "ts" }),
  vue: ({ text }) => transform(scriptOf(text), { loader: "ts" }),
  html: ({ text }) => expect(text).toMatch(/^<!doctype html>\n<html lang="\w+">/),
  json: ({ text }) => JSON.parse(text.replaceAll(/, …|…/g, "")),
  toml: ({ text }) => parseTOML(text),
  sh: ({ text }) => checkShell(text),
  console: ({ text }) => checkShell(commandsOf(text)),
  // `npm run test:hosts` runs the proxies with these settings.
  nginx: () => undefined,
  caddyfile: () => undefined,
  // Drawings
  text: () => undefined,
};

describe.each(["README.md", "CONTRIBUTING.md", ...docs, ...examples])("%s", (document) => {
  test("contains only valid blocks of code", async () => {
    for (const block of await readBlocks(document)) {
      if (block.language === "") continue;
      const check = checks[block.language];
      if (check === undefined) throw new Error(`No check for the language ${block.language}`);
      await check(block);
    }
  });
});

/** For example `cors: { … },`. */
function isPartOfConfig(text: string): boolean {
  return /^\w+: [{[]/.test(text);
}

function scriptOf(component: string): string {
  return /<script setup lang="ts">\n([^]*)<\/script>/.exec(component)?.[1] ?? "";
}

function commandsOf(session: string): string {
  return session
    .split("\n")
    .filter((line) => line.startsWith("$ "))
    .map((line) => line.slice(2))
    .join("\n");
}

/** Reads commands by bash, without running them. */
function checkShell(commands: string): void {
  const { status, stderr } = spawnSync("bash", ["-n"], { input: commands, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}
