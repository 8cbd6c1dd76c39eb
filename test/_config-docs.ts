import { readdirSync, readFileSync } from "node:fs";
import { serverGroups, shopGroups } from "../server/config/config.ts";
import type { Key, KeyTable } from "../server/config/keys/config-key.ts";
import { sessionKeys } from "../server/config/keys/session-keys.ts";
import { shopKeys } from "../server/config/keys/shop-keys.ts";
import { topKeys } from "../server/config/keys/top-keys.ts";

/** The documentation of a key: the comment above it in its table. */
export interface KeyDoc {
  readonly text: string;
  /** After `@default`. */
  readonly defaultText: string | undefined;
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
  const groups = readGroups();
  const section = (name: string, table: KeyTable, tableName: string, about = groups[name]) => {
    return { name, about: about?.text ?? "", table, docs: readTable(tableName) };
  };
  return [
    section("", topKeys, "topKeys"),
    section("shops[]", shopKeys, "shopKeys", groups["shops"]),
    ...Object.entries({ ...shopGroups, ...serverGroups }).flatMap(([name, { keys }]) => {
      const found = section(name, keys, tableNameOf(name));
      if (name !== "session") return [found];
      const { cache } = found.docs;
      return [found, section("session.cache", sessionKeys.cache.keys, "cacheKeys", cache)];
    }),
  ];
}

/** docs/config.md. */
export function renderReference(): string {
  const parts = readSections().map(({ name, about, table, docs }) => {
    const shared = Object.hasOwn(shopGroups, name.split(".")[0] ?? "");
    const perShop = shared ? [`A shop can override it in \`shops[].${name}\`.`] : [];
    const rows = Object.entries(table).map(([key, declared]) => {
      const scope = name === "storage" && Object.hasOwn(shopGroups.storage.keys, key) === false;
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
      [
        "| option | default | valid values | description |",
        "| --- | --- | --- | --- |",
        ...rows,
      ].join("\n"),
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
    return [
      `| [\`${name}\`](docs/config.md#${anchor}) | | ${about} Options: ${names.join(", ")} |`,
    ];
  });
  const lines = [
    "| option | default | description |",
    "| --- | --- | --- |",
    ...rows.map(withLinks),
  ];
  return readme.replace(/^\| option \|.*\n(?:\|.*\n)+/m, () => `${lines.join("\n")}\n`);
}

// --- Internal helpers ---

/** Makes links of the names of pages, for a page in the project's folder. */
function withLinks(line: string): string {
  return line.replace(/(?<![([])\bdocs\/[\w-]+\.md/g, (path) => `[${path}](${path})`);
}

/** Escapes a text for a table. */
function escape(text: string): string {
  return text.replace(/[|`*_<]/g, "\\$&");
}

const intro = `# Config reference

This page lists every option of \`storefront.config.ts\`. Durations are in seconds. An option that is \`undefined\` has its default. The server rejects
unknown options and invalid values at startup.

The objects of \`auth\`, \`commerce\`, and \`telemetry\` can be instances of your classes, with other properties. If the name of a property is similar to a known
one that is missing, and its value fits that one, the server rejects it as misspelled, for example a function \`resetPasword\`. A name that begins with
\`_\` always passes.

\`storefront explain --shop 1001\` prints the effective value of each option, and its source. \`npm run docs:config\` writes this page from
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

const configFolder = new URL("../server/config/", import.meta.url);
const configSource = readFileSync(new URL("config.ts", configFolder), "utf8");
const keysFolder = new URL("keys/", configFolder);
const keysSource = readdirSync(keysFolder)
  .map((name) => readFileSync(new URL(name, keysFolder), "utf8"))
  .join("\n");

/** The groups of `StorefrontConfig`, with their comments. */
function readGroups(): Readonly<Record<string, KeyDoc>> {
  const [, body = ""] =
    /interface StorefrontConfig[\s\S]*?> \{\n([\s\S]*?)\n\}/.exec(configSource) ?? [];
  return readMembers(body);
}

/** The name of a group's last table: the global one of `storage`, which contains the shop's. */
function tableNameOf(group: string): string {
  const tables = [...configSource.matchAll(new RegExp(`^  ${group}: \\w+\\((\\w+Keys)`, "gm"))];
  return tables.at(-1)?.[1] ?? "";
}

/** The keys of a table, with their comments. */
function readTable(name: string): Readonly<Record<string, KeyDoc>> {
  const [, body = ""] =
    new RegExp(`const ${name} = \\{\\n([\\s\\S]*?)\\n\\} satisfies`).exec(keysSource) ?? [];
  const [, inner] = /^  \.\.\.(\w+),$/m.exec(body) ?? [];
  return { ...(inner !== undefined && readTable(inner)), ...readMembers(body) };
}

function readMembers(body: string): Record<string, KeyDoc> {
  const members = body.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:readonly )?(\w+)\??:/g);
  return Object.fromEntries(
    [...members].map(([, comment = "", name = ""]) => {
      const [text = "", defaultText] = comment
        .replace(/\s*\n\s*\*?\s*/g, " ")
        .split("@default")
        .map((part) => part.trim());
      return [name, { text, defaultText }];
    }),
  );
}
