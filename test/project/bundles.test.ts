import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type BuildOptions, type Metafile } from "esbuild";
import { describe, expect, onTestFinished, test } from "vitest";
import { describeWithRedis, useRedis } from "../_redis.ts";
import { listSources } from "../_built.ts";
import { root } from "../_cli.ts";

/** A page of a server: the calls of a visitor, each with its status. */
const program = `
  import { createStorefront } from "storefront-core";

  export async function call(storage) {
    const storefront = createStorefront({
      shops: [{ shopId: 1001, locale: "de-DE", currency: "EUR" }],
      session: { secret: "a-secret-for-tests-only-of-more-than-32-characters" },
      storage: { session: storage },
      log: { debug() {}, info() {}, warn() {}, error: console.error },
    }, { production: false });
    return async function run() {
      const results = [];
      let cookie = "";
      for (const [method, payload] of [
        ["addItemToBasket", { variantId: 7, quantity: 2 }],
        ["register", { email: \`\${crypto.randomUUID()}@example.com\`, password: "password1" }],
        ["register", { email: \`\${crypto.randomUUID()}@example.com\`, password: "correct horse x" }],
        ["getBasket"],
      ]) {
        const response = await storefront.fetch(new Request("http://localhost/api/rpc/" + method, {
          method: "POST",
          headers: { "content-type": "application/json", cookie },
          body: JSON.stringify({ payload }),
        }));
        cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie;
        results.push(method + " " + response.status);
      }
      await storefront.close();
      return results;
    };
  }
`;

const results = ["addItemToBasket 200", "register 422", "register 200", "getBasket 200"];

describeWithRedis("a bundle for Node", () => {
  const redis = useRedis();

  test.each(["memory", "redis"])("runs without node_modules: %s", async (driver) => {
    const folder = await createFolder();
    const storage = { driver, ...(driver === "redis" && { url: redis().url }) };
    const start = `
      call(${JSON.stringify(storage)}).then((run) => run()).then((results) => {
        console.log(JSON.stringify(results));
        process.exit();
      });
    `;
    await bundle(program + start, {
      platform: "node",
      format: "cjs",
      outfile: `${folder}/app.cjs`,
    });
    expect(run(join(folder, "app.cjs"))).toEqual(results);
  });
});

describe("a bundle for a worker", () => {
  test("contains no Redis and no files, and has less than 150 kB when it is compressed", async () => {
    const { outputFiles, metafile } = await bundle(program, {
      ...worker,
      minify: true,
      write: false,
    });
    const inputs = listInputs(metafile);
    expect(inputs).toContain("server/rpc-handler.ts");
    expect(
      inputs.filter((path) =>
        /openapi\/document|dev-page\/(?!worker-page)|ioredis|\/redis\/|drivers\/(?:fs|redis)|file-driver/.test(
          path,
        ),
      ),
    ).toEqual([]);
    const size = gzipSync(outputFiles?.[0]?.contents ?? "").length;
    console.info(`A worker's bundle: ${Math.round(size / 1000)} kB, compressed by gzip`);
    expect(size).toBeLessThan(150_000);
  });

  test("uses no random values and timers until the first call", async () => {
    const folder = await createFolder();
    await bundle(program, { ...worker, outfile: `${folder}/worker.mjs` });
    const start = `
      import crypto from "node:crypto";
      import { syncBuiltinESMExports } from "node:module";
      import timers from "node:timers";
      const forbidden = [
        [globalThis, ["setTimeout", "setInterval", "setImmediate", "fetch"]],
        [globalThis.crypto, ["getRandomValues", "randomUUID"]],
        [crypto, ["randomBytes", "randomUUID", "randomInt"]],
        [Math, ["random"]],
        [timers, ["setTimeout", "setInterval", "setImmediate"]],
      ];
      const restore = [];
      for (const [owner, names] of forbidden) {
        for (const name of names) {
          const original = owner[name];
          restore.push(() => (owner[name] = original));
          owner[name] = () => {
            throw new Error("Disallowed operation called within global scope: " + name);
          };
        }
      }
      const start = (async () => {
        syncBuiltinESMExports();
        const { call } = await import("./worker.mjs");
        const run = await call({ driver: "memory" });
        for (const undo of restore) undo();
        syncBuiltinESMExports();
        console.log(JSON.stringify(await run()));
        process.exit();
      })();
    `;
    await writeFile(join(folder, "start.mjs"), start);
    expect(run(join(folder, "start.mjs"))).toEqual(results);
  });
});

describe("a bundle for a worker with a commerce system", () => {
  const shop = `
    import { createStorefront } from "storefront-core";

    const baskets = { read: async () => ({ items: [], total: 0 }), set: async ({ seen }) => ({ basket: seen }) };
    const create = () => createStorefront({
      shops: [{ shopId: 1001, locale: "de-DE", currency: "EUR", commerce: { name: "test", baskets } }],
      session: { secret: "a-secret-for-tests-only-of-more-than-32-characters" },
      log: { debug() {}, info() {}, warn() {}, error: console.error },
    }, { production: false });
  `;

  test("contains the code for it if the adapter imports that", async () => {
    const folder = await createFolder();
    const start = `
      import "storefront-core/commerce";
      ${shop}
      const storefront = create();
      storefront.fetch(new Request("http://localhost/api/rpc/getBasket", { method: "POST" }))
        .then((response) => response.json())
        .then(({ basket }) => {
          console.log(JSON.stringify(basket.total));
          process.exit();
        });
    `;
    await bundle(start, { ...worker, outfile: `${folder}/worker.mjs` });
    expect(run(join(folder, "worker.mjs"))).toBe(0);
  });

  test("names the missing import otherwise", async () => {
    const folder = await createFolder();
    const start = `${shop}
      try { create(); } catch (error) { console.log(JSON.stringify(error.message)); }
    `;
    const { metafile } = await bundle(start, { ...worker, outfile: `${folder}/worker.mjs` });
    expect(run(join(folder, "worker.mjs"))).toContain('import "storefront-core/commerce"');
    const inputs = listInputs(metafile);
    expect(inputs.filter((path) => /cockatiel|commerce-system/.test(path))).toEqual([]);
  });
});

/** Bundles a worker like wrangler. */
const worker = {
  platform: "browser",
  format: "esm",
  conditions: ["workerd", "worker", "browser"],
  external: ["node:*"],
} satisfies BuildOptions;

/** The sources of a bundle. A file of the build contains several. */
function listInputs(metafile: Metafile | undefined): readonly string[] {
  return Object.keys(metafile?.inputs ?? {}).flatMap((path) => {
    return path.startsWith("dist/") ? listSources(join(root, path)) : [path];
  });
}

function bundle(contents: string, options: BuildOptions) {
  return build({
    stdin: { contents, resolveDir: root },
    alias: {
      "storefront-core/commerce": join(root, "dist/server/commerce.js"),
      "storefront-core": join(root, "dist/server/index.js"),
    },
    bundle: true,
    metafile: true,
    logLevel: "error",
    ...options,
  });
}

async function createFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "storefront-bundle-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function run(file: string): unknown {
  const { stdout, stderr } = spawnSync(process.execPath, [file], {
    encoding: "utf8",
    timeout: 15_000,
  });
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}
