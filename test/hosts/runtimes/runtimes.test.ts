import { execFile, execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DocumentNamespace } from "../../../adapters/durable-object.ts";
import { createDurableObjectDriver } from "../../../adapters/durable-object.ts";
import { testStorageAdapter } from "../../../storage/adapter-suite.ts";
import { systemClock } from "../../../storage/clock.ts";
import { root } from "../../_cli.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";

const folder = import.meta.dirname;
const bin = join(folder, "node_modules/.bin");

/** The results of `conversation.mjs`. */
const expected = [
  "reads a public method by GET: 200",
  "rejects an unknown method: 404",
  "rejects a body that is too large: 413",
  "starts a session with the first item: 200",
  "rejects a common password: 422",
  "registers: 200",
  "reads the user: 200",
  "renews the cookie that was changed: 200",
  "keeps 11 items",
  "logs out: 204",
  "the session has ended: true",
];

/** The commands of the runtimes; `node` from npm is the runtime itself. */
const runtimes: Readonly<Record<string, readonly string[]>> = {
  "Node 20": [process.execPath],
  "Node 22": ["npx", "--yes", "node@22.23.3"],
  "Node 24": ["npx", "--yes", "node@24.9.0"],
  Bun: [join(bin, "bun")],
  Deno: [join(bin, "deno"), "run", "--allow-all", "--unstable-kv", "--node-modules-dir=manual"],
};

const storages = ["memory", "Redis", "Deno KV", "Cloudflare KV", "Durable Objects"] as const;

/** The rows of the matrix in the docs. */
const matrix = new Map<string, Map<string, string>>();

beforeAll(() => {
  execFileSync("npm", ["ci", "--prefix", folder, "--no-audit", "--no-fund"], { stdio: "pipe" });
});

function record(runtime: string, storage: (typeof storages)[number], results: unknown): void {
  const row = matrix.get(runtime) ?? new Map<string, string>();
  matrix.set(runtime, row.set(storage, "fails"));
  expect(results).toEqual(expected);
  row.set(storage, storage === "Cloudflare KV" ? "one call at a time" : "all");
}

describeWithRedis("the same calls", () => {
  const redis = useRedis();

  test.each(Object.keys(runtimes))("work on %s, in memory and on Redis", async (runtime) => {
    record(runtime, "memory", await converse(runtime, "memory"));
    record(runtime, "Redis", await converse(runtime, "redis", redis().url));
  });

  test("work on Deno with Deno KV", async () => {
    record("Deno", "Deno KV", await converse("Deno", "deno-kv"));
  });
});

describe("a worker", () => {
  let worker: Miniflare;
  beforeAll(async () => {
    worker = await startWorker();
  });
  afterAll(() => worker.dispose());

  test.each([
    ["/memory", "memory"],
    ["/durable-object", "Durable Objects"],
    ["/kv", "Cloudflare KV"],
  ] as const)("gets the same results at %s", async (path, storage) => {
    const response = await worker.dispatchFetch(`http://localhost${path}`);
    record("workerd", storage, await response.json());
  });

  test.each([["x-memory"], ["x-objects"]])(
    "responds to 20 calls at the same time, five times, with %s",
    async (header) => {
      for (let round = 0; round < 5; round++) {
        const statuses = await Promise.all(
          Array.from({ length: 20 }, async () => {
            const response = await worker.dispatchFetch("http://localhost/api/rpc/getBasket", {
              method: "POST",
              headers: { "content-type": "application/json", [header]: "1" },
            });
            await response.text();
            return response.status;
          }),
        );
        expect(statuses).toEqual(Array.from({ length: 20 }, () => 200));
      }
    },
  );

  test("ends a call after callTimeout, also if an earlier request started the timer", async () => {
    const init = {
      method: "POST",
      headers: { "content-type": "application/json", "x-memory": "1" },
    };
    await (await worker.dispatchFetch("http://localhost/api/rpc/getBasket", init)).text();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const startedAt = performance.now();
    const response = await worker.dispatchFetch("http://localhost/api/rpc/slow", init);
    expect([response.status, await response.json()]).toMatchObject([504, { code: "timeout" }]);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  test("keeps the items that parallel requests of one visitor add", async () => {
    let cookie = "";
    const call = async (method: string, variantId?: number) => {
      const response = await worker.dispatchFetch(`http://localhost/api/rpc/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json", cookie },
        body: JSON.stringify({ ...(variantId && { payload: { variantId, quantity: 1 } }) }),
      });
      cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie;
      return response.json() as Promise<{ basket: { itemCount: number } }>;
    };
    await call("addItemToBasket", 1);
    await Promise.all(Array.from({ length: 20 }, (_, index) => call("addItemToBasket", index + 2)));
    expect((await call("getBasket")).basket.itemCount).toBe(21);
  });
});

describe("the adapter for Durable Objects", () => {
  let worker: Miniflare;
  let namespace: DocumentNamespace;
  beforeAll(async () => {
    worker = await startWorker();
    namespace = await worker.getDurableObjectNamespace("DOCUMENTS");
  });
  afterAll(() => worker.dispose());

  testStorageAdapter({
    test,
    createDriver: (base) => createDurableObjectDriver({ namespace, base }),
  });

  test("removes an expired document by an alarm, and an extended one later", async () => {
    const { createAdapter } = createDurableObjectDriver({ namespace, base: "alarms" });
    const adapter = createAdapter({ log: console, clock: systemClock });
    const write = (text: string, time: number) => {
      const current = { match: "prefix", text: "" } as const;
      return adapter.swap("a", current, { text, expiresAt: Date.now() + time });
    };
    const isAbsent = { match: "absent", text: "" } as const;
    await adapter.swap("a", isAbsent, { text: "one", expiresAt: Date.now() + 300 });
    await write("two", 1500);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await adapter.read("a")).toBe("two");
    await expect.poll(() => adapter.read("a"), { timeout: 5000 }).toBeUndefined();
  });
});

test("the docs have the matrix of these tests; UPDATE_DOCS=1 writes it", async () => {
  const file = join(root, "docs/runtimes.md");
  const docs = await readFile(file, "utf8");
  const [before = "", rest = ""] = docs.split("<!-- matrix -->\n");
  const [found = "", ...after] = rest.split("<!-- /matrix -->");
  if (process.env["UPDATE_DOCS"] !== undefined) {
    const text = `${before}<!-- matrix -->\n${toTable()}<!-- /matrix -->${after.join("")}`;
    await writeFile(file, text);
  } else {
    expect(found).toBe(toTable());
  }
});

// --- Internal helpers ---

interface Miniflare {
  dispatchFetch(url: string, init?: RequestInit): Promise<Response>;
  getDurableObjectNamespace(name: string): Promise<DocumentNamespace>;
  dispose(): Promise<void>;
}

const run = promisify(execFile);

async function converse(runtime: string, storage: string, url = ""): Promise<unknown> {
  const [command = "", ...options] = runtimes[runtime] ?? [];
  const args = [...options, join(folder, "process.mjs"), join(root, "dist/server/index.js")];
  const { stdout } = await run(command, [...args, storage, url], { cwd: root, timeout: 50_000 });
  return JSON.parse(stdout);
}

/** Bundles the worker as wrangler does, and runs it in workerd. */
async function startWorker(): Promise<Miniflare> {
  const outfile = join(folder, `node_modules/worker-${crypto.randomUUID()}.mjs`);
  await build({
    entryPoints: [join(folder, "worker.mjs")],
    outfile,
    alias: {
      "storefront-core/durable-object": join(root, "dist/adapters/durable-object.js"),
      "storefront-core": join(root, "dist/server/index.js"),
    },
    bundle: true,
    format: "esm",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*"],
    logLevel: "error",
  });
  const require = createRequire(join(folder, "package.json"));
  const { Miniflare: Server } = require("miniflare") as {
    readonly Miniflare: new (options: object) => Miniflare & { readonly ready: Promise<URL> };
  };
  const worker = new Server({
    modules: [{ type: "ESModule", path: outfile }],
    modulesRoot: folder,
    compatibilityDate: "2026-04-01",
    compatibilityFlags: ["nodejs_compat"],
    kvNamespaces: ["KV"],
    durableObjects: { DOCUMENTS: { className: "StorefrontDocument", useSQLite: true } },
  });
  await worker.ready;
  await rm(outfile);
  return worker;
}

function toTable(): string {
  const rows = [...matrix].map(([runtime, cells]) => [
    runtime,
    ...storages.map((storage) => cells.get(storage) ?? "–"),
  ]);
  const lines = [["runtime", ...storages], storages.map(() => "---").concat("---"), ...rows];
  return `${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}
