import { randomBytes } from "node:crypto";
import type { Choices } from "./choices.ts";

/**
 * Changes the config of an example: its shop, its storage, and its commerce system.
 * @throws Error if the example lacks one of the lines
 */
export function toConfig(example: string, choices: Choices): string {
  const { shop, locale, currency } = choices;
  const shopLine = `  shops: [{ shopId: ${shop}, locale: "${locale}", currency: "${currency}" }],\n`;
  const config = replace(example, /^ {2}shops: .*\n/m, shopLine);
  const stored = replace(
    config,
    /^ {2}\/\/ One process only.*\n {2}storage: .*\n/m,
    toStorage(choices),
  );
  if (choices.commerce === "none") return stored;
  const imported = replace(
    stored,
    /\n(?!import)/,
    `\nimport { vendure } from "storefront-core/vendure";\n`,
  );
  return replace(imported, /^ {2}methods,\n/m, `${vendureLines}  methods,\n`);
}

/** The environment of the project, with a secret that nobody else has. */
export function createEnvironment({ storage, commerce }: Choices): string {
  return [
    "# All servers of the project need the same secret. Keep this file out of version control.",
    `STOREFRONT_SESSION_SECRET=${randomBytes(32).toString("hex")}`,
    ...(storage === "redis" ? ["STOREFRONT_REDIS_URL=redis://localhost:6379"] : []),
    ...(commerce === "vendure"
      ? [
          "# The Shop API of Vendure, and the token of its channel: empty for the default channel.",
          "VENDURE_URL=http://localhost:3001/shop-api",
          "VENDURE_CHANNEL=",
        ]
      : []),
    "",
  ].join("\n");
}

/** Starts Redis as sessions need it: it evicts nothing, and survives a restart. */
export const composeFile = `services:
  redis:
    image: redis:7
    command: redis-server --appendonly yes --maxmemory-policy noeviction
    ports:
      - 127.0.0.1:6379:6379
    volumes:
      - redis:/data

volumes:
  redis:
`;

// --- Internal helpers ---

const vendureLines = `  commerce: vendure({
    url: process.env["VENDURE_URL"] ?? "http://localhost:3001/shop-api",
    channel: process.env["VENDURE_CHANNEL"] ?? "",
  }),
`;

function toStorage({ storage, commerce }: Choices): string {
  if (storage === "redis") {
    return `  storage: { session: { driver: "redis", url: process.env["STOREFRONT_REDIS_URL"] } },\n`;
  }
  const account = `account: { driver: "fs", base: ".data/accounts" }`;
  // Vendure has the accounts.
  const options =
    commerce === "vendure" ? "singleProcess: true" : `singleProcess: true, ${account}`;
  return `  // One process only: with several, use the driver "redis".\n  storage: { ${options} },\n`;
}

function replace(text: string, pattern: RegExp, replacement: string): string {
  if (!pattern.test(text)) throw new Error(`The example has no ${pattern}`);
  return text.replace(pattern, () => replacement);
}
