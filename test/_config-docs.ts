import { readdirSync, readFileSync } from "node:fs";
import { serverGroups, shopGroups } from "../server/config/config.ts";
import type { Key, KeyTable } from "../server/config/keys/key.ts";
import { sessionKeys } from "../server/config/keys/session-keys.ts";
import { shopKeys } from "../server/config/keys/shop-keys.ts";
import { topKeys } from "../server/config/keys/top-keys.ts";

/** The documentation of a key: the comment above it in its interface. */
export interface KeyDoc {
  readonly text: string;
  /** After `@default`. */
  readonly defaultText: string | undefined;
  /** The name of its interface, if the key is a group. */
  readonly type: string | undefined;
}

/** A table of keys and the documentation of each. */
export interface Section {
  /** For example `session`; empty for keys without a group. */
  readonly name: string;
  readonly about: string;
  readonly table: KeyTable;
  readonly docs: Readonly<Record<string, KeyDoc>>;
}

/** The sections of docs/config.md. */
export function readSections(): readonly Section[] {
  const members = readInterfaces();
  const top = members["StorefrontConfig"] ?? {};
  const group = (name: string, table: KeyTable, within = top): Section => {
    const { text = "", type = "" } = within[name] ?? {};
    return { name, about: text, table, docs: members[type] ?? {} };
  };
  return [
    { name: "", about: "", table: topKeys, docs: members["TopConfig"] ?? {} },
    {
      name: "shops[]",
      about: top["shops"]?.text ?? "",
      table: shopKeys,
      docs: members["ShopConfig"] ?? {},
    },
    ...Object.entries({ ...shopGroups, ...serverGroups }).flatMap(([name, table]) => {
      if (name !== "session") return [group(name, table)];
      const cache = group("cache", sessionKeys.cache.keys, members["SessionConfig"]);
      return [group(name, table), { ...cache, name: "session.cache" }];
    }),
  ];
}

/** docs/config.md. */
export function renderReference(): string {
  const parts = readSections().map(({ name, about, table, docs }) => {
    const shared = Object.hasOwn(shopGroups, name.split(".")[0] ?? "");
    const perShop = shared ? [`A shop can override it in \`shops[].${name}\`.`] : [];
    const rows = Object.entries(table).map(([key, declared]) => {
      const scope = name === "storage" && Object.hasOwn(shopGroups.storage, key) === false;
      const text = `${docs[key]?.text ?? ""}${scope ? " Top level only." : ""}`;
      const cells = [
        `\`${key}\``,
        renderDefault(declared, docs[key]),
        escape(declared.expected),
        text,
      ];
      return `| ${cells.join(" | ")} |`;
    });
    return [
      `## ${name === "" ? "Top level" : `\`${name}\``}`,
      ...(about === "" ? [] : [[about, ...perShop].join(" ")]),
      ["| key | default | valid values | description |", "| --- | --- | --- | --- |", ...rows].join(
        "\n",
      ),
    ].join("\n\n");
  });
  const page = `${intro}\n\n${parts.map(withLinks).join("\n\n")}\n`;
  return page.replaceAll("](docs/", "](");
}

/** The README with its table of keys up to date. */
export function renderReadme(readme: string): string {
  const rows = readSections().flatMap(({ name, about, table, docs }) => {
    if (name === "session.cache") return [];
    if (name === "") {
      return Object.entries(table).map(([key, declared]) => {
        return `| \`${key}\` | ${renderDefault(declared, docs[key])} | ${docs[key]?.text} |`;
      });
    }
    const names = Object.keys(table).map((key) => `\`${key}\``);
    const anchor = name.toLowerCase().replace(/[^a-z]/g, "");
    return [`| [\`${name}\`](docs/config.md#${anchor}) | | ${about} Keys: ${names.join(", ")} |`];
  });
  const lines = ["| key | default | description |", "| --- | --- | --- |", ...rows.map(withLinks)];
  return readme.replace(/^\| key \|.*\n(?:\|.*\n)+/m, () => `${lines.join("\n")}\n`);
}

// --- Internal helpers ---

/** Makes links of the names of pages, for a page in the project's folder. */
function withLinks(line: string): string {
  return line.replace(/(?<![([])\bdocs\/\w+\.md/g, (path) => `[${path}](${path})`);
}

/** Escapes a text for a table. */
function escape(text: string): string {
  return text.replace(/[|`*_<]/g, "\\$&");
}

const intro = `# Config reference

This page lists every key of \`storefront.config.ts\`. Durations are seconds. A key that is \`undefined\` has its default. The server rejects unknown
keys and invalid values at startup.

\`storefront explain --shop 1001\` prints the effective value of each key, and its source. \`npm run docs:config\` writes this page from
\`server/config/keys/\`.`;

function renderDefault({ isRequired, default: value }: Key, doc: KeyDoc | undefined): string {
  if (isRequired) return "required";
  const text = doc?.defaultText ?? (value === undefined ? "none" : JSON.stringify(value));
  return isJson(text) ? `\`${text}\`` : text;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The members of each interface of a config, with their comments. */
function readInterfaces(): Readonly<Record<string, Readonly<Record<string, KeyDoc>>>> {
  const folder = new URL("../server/config/", import.meta.url);
  const keys = new URL("keys/", folder);
  const files = [
    new URL("config.ts", folder),
    ...readdirSync(keys).map((name) => new URL(name, keys)),
  ];
  const source = files.map((file) => readFileSync(file, "utf8")).join("\n");
  const found = source.matchAll(/^export interface (\w+)([^{]*)\{\n([\s\S]*?)\n\}/gm);
  const all: Record<string, Record<string, KeyDoc>> = {};
  for (const [, name = "", heritage = "", body = ""] of found) {
    const [, parent = ""] =
      /extends (\w+)/.exec(heritage.replace(/<[\s\S]*?>\s*(?=extends)/, "")) ?? [];
    all[name] = { ...all[parent], ...readMembers(body) };
  }
  return all;
}

function readMembers(body: string): Record<string, KeyDoc> {
  const members = body.matchAll(/\/\*\*([\s\S]*?)\*\/\s*readonly (\w+)\??: ([^;]*);/g);
  return Object.fromEntries(
    [...members].map(([, comment = "", name = "", type = ""]) => {
      const [text = "", defaultText] = comment
        .replace(/\s*\n\s*\*?\s*/g, " ")
        .split("@default")
        .map((part) => part.trim());
      const [, group] = /\b(\w+Config)\b/.exec(type) ?? [];
      return [name, { text, defaultText, type: group }];
    }),
  );
}
