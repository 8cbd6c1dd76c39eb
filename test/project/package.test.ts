import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

/** A project with nothing but the package, as npm packs and installs it. */
let project: string;

beforeAll(async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "storefront-package-")));
  // Without scripts, as `npm test` has built it, and others are reading the build.
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const { stdout } = await run("npm", pack, { cwd: root });
  const [tarball] = JSON.parse(stdout) as [{ filename: string }];
  project = join(folder, "project");
  await mkdir(project);
  await write("package.json", JSON.stringify({ name: "shop", private: true, type: "module" }));
  // The following commands run without install scripts.
  const install = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
  await run("npm", [...install, `../${tarball.filename}`], { cwd: project });
}, 180_000);

afterAll(() => rm(join(project, ".."), { recursive: true, force: true }));

describe("the entry points", () => {
  test("export names for servers and configs", async () => {
    expect(await exportsOf("storefront-core")).toMatchInlineSnapshot(
      `"ConfigError RpcError createCallerFetch createRpcCaller createStorefront defineCommerceMethod defineRpcMethod defineStorefrontConfig detailsFirst isStorefrontPath respondWithCaller secret"`,
    );
  });

  test("export names for frontends", async () => {
    expect(await exportsOf("storefront-core/client")).toMatchInlineSnapshot(
      `"RpcClientError createRpcClient"`,
    );
  });

  test("export a name for TanStack Query, and load neither it nor a framework", async () => {
    for (const entry of ["react-query", "vue-query"])
      expect(await exportsOf(`storefront-core/${entry}`)).toBe("createRpcQueries");
  });

  test("export a name for Nuxt's server, and load no part of Nuxt", async () => {
    expect(await exportsOf("storefront-core/nuxt/server")).toBe("mountInNitro");
  });

  test("export names for storage", async () => {
    expect(await exportsOf("storefront-core/storage")).toMatchInlineSnapshot(
      `"DefaultSessionCacheStrategy InMemorySessionCacheStrategy StorageUnavailableError absent asideSeconds defineStorageDriver detailsFirst openDocumentStore openDriver pingKey toKeySegment"`,
    );
  });

  test.each([
    ["a shop", "storefront-core/testing", "createTestClock createTestRandom createTestStorefront"],
    ["storages", "storefront-core/storage/testing", "testStorageAdapter"],
    ["commerce systems", "storefront-core/commerce/testing", "testCommerceBackend"],
  ])("export names for tests of %s", async (_, entry, names) => {
    expect(await exportsOf(entry)).toBe(names);
  });

  test("expose no other module", async () => {
    const inner = "storefront-core/dist/server/storefront.js";
    await expect(exportsOf(inner)).rejects.toThrow("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });
});

test("the client is one module, which imports nothing and contains no server code", async () => {
  const file = join(project, "node_modules/storefront-core/dist/rpc/client.js");
  const text = await readFile(file, "utf8");
  expect(text).toContain("function createRpcClient");
  expect(text).not.toMatch(/\b(?:import|require)\s*\(|\bprocess\b|\bBuffer\b|^import\b|\bfrom "/m);
  // A page, or a worker without a bundler, loads it in this way.
  const module = await import(`data:text/javascript,${encodeURIComponent(text)}`);
  expect(Object.keys(module).toSorted()).toEqual(["RpcClientError", "createRpcClient"]);
});

describe("a project with the package", () => {
  const config = `import { defineRpcMethod, defineStorefrontConfig } from "storefront-core";
import * as z from "zod";

declare module "storefront-core" {
  interface ShopUser {
    readonly loyaltyPoints?: number;
  }
  interface SessionCustomData {
    visits: number;
  }
}

export const methods = {
  visit: defineRpcMethod({
    input: z.strictObject({ page: z.string() }),
    handler({ page }, { customData, updateCustomData, user }) {
      const visits: number = (customData.visits ?? 0) + 1;
      updateCustomData({ visits });
      const points: number | undefined = user?.loyaltyPoints;
      return { page, visits, points };
    },
  }),
};

export default defineStorefrontConfig({
  shops: [{ shopId: 1, locale: "de-DE", currency: "EUR" }],
  methods,
});
`;
  const frontend = `import { createRpcClient } from "storefront-core/client";
import type { BuiltinMethods } from "storefront-core";
import type { methods } from "./storefront.config.js";

const rpc = createRpcClient<typeof methods & BuiltinMethods>({
  baseURL: process.argv[2] ?? "",
  shopId: 1,
});
const { page, visits } = await rpc.visit({ page: "home" });
const { basket } = await rpc.getBasket();
const text: string = page;
const count: number = visits + basket.itemCount;
console.log(JSON.stringify([text, count]));
`;
  const wrong = `import { createRpcClient } from "storefront-core/client";
import { defineStorefrontConfig } from "storefront-core";
import { methods } from "./storefront.config.js";

const rpc = createRpcClient<typeof methods>({ baseURL: "", shopId: 1 });
// @ts-expect-error the page is a string
await rpc.visit({ page: 7 });
// @ts-expect-error there is no such method
await rpc.visits();
// @ts-expect-error there is no such key
defineStorefrontConfig({ shops: [], sesion: {} });
`;
  const storage = `import { openDocumentStore, openDriver } from "storefront-core/storage";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const store = openDocumentStore(openDriver({ driver: "memory" }), { log });
console.log(store.driver, store.capabilities.atomic);
await store.close();
`;
  const adapter = `import { describe, test } from "node:test";
import { openDriver } from "storefront-core/storage";
import { testStorageAdapter } from "storefront-core/storage/testing";

const createDriver = () => openDriver({ driver: "memory" });
describe("memory", () => testStorageAdapter({ test, createDriver }));
`;

  const inferred = `import { createStorefront, type BuiltinMethods } from "storefront-core";
import { createRpcClient, type RpcClientError } from "storefront-core/client";

const rpc = createRpcClient<BuiltinMethods>({ baseURL: "", shopId: 1 });
export const getBasket = async () => (await rpc.getBasket()).basket;
export const getSessions = async () => (await rpc.listSessions()).sessions;
export const login = (email: string, password: string) => rpc.login({ email, password });
export const findFaults = (error: RpcClientError) => error.errors;
export const corsOf = (app: ReturnType<typeof createStorefront>) => app.options.shops[0]?.cors;
export const limitOf = (app: ReturnType<typeof createStorefront>) => app.options.loginAttempts;
`;

  test("serves, and the client calls it", async () => {
    await write("storefront.config.ts", config);
    await write("frontend.mjs", toJavaScript(frontend));
    const server = await start();
    const { stdout } = await node(["frontend.mjs", server]);
    expect(JSON.parse(stdout)).toEqual(["home", 1]);
  });

  test("can use the storage alone", async () => {
    await write("storage.mjs", storage);
    expect((await node(["storage.mjs"])).stdout).toBe("memory process\n");
  });

  test("can test a storage adapter with node:test", async () => {
    await write("adapter.mjs", adapter);
    const { stdout } = await node(["--test-reporter=tap", "adapter.mjs"]);
    expect(stdout).toMatch(/# pass [1-9]\d*\n# fail 0/);
  });

  test("compiles with strict TypeScript, including the package's types", async () => {
    await write("storefront.config.ts", config);
    await write("frontend.ts", frontend);
    await write("wrong.ts", wrong);
    await write("storage.ts", storage);
    await write("adapter.ts", adapter);
    await write("inferred.ts", inferred);
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      verbatimModuleSyntax: true,
      module: "NodeNext",
      target: "ES2023",
      skipLibCheck: false,
      // Types that are inferred from the package's must have names that others can import.
      declaration: true,
      emitDeclarationOnly: true,
      outDir: "types",
      types: ["node"],
      typeRoots: [join(root, "node_modules/@types")],
    };
    await write("tsconfig.json", JSON.stringify({ compilerOptions, include: ["*.ts"] }));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const { stdout } = await node([tsc, "-p", "."]).catch((error: { stdout: string }) => error);
    // Those of h3 and unstorage do not pass: they name drivers' packages that are not installed.
    const faults = stdout.split("\n").filter((line) => /^\S/.test(line));
    expect(faults.filter((line) => !/^node_modules\/(?:h3|unstorage)\//.test(line))).toEqual([]);
  });
});

async function write(file: string, text: string): Promise<void> {
  await writeFile(join(project, file), text);
}

function node(args: readonly string[]): Promise<{ stdout: string }> {
  return run(process.execPath, args, { cwd: project });
}

async function exportsOf(entry: string): Promise<string> {
  const script = `console.log(Object.keys(await import("${entry}")).join(" "))`;
  const { stdout } = await node(["--input-type=module", "--eval", script]);
  return stdout.trim();
}

/** Removes the TypeScript syntax. */
function toJavaScript(text: string): string {
  return text.replaceAll(/^import type .*\n|<typeof [^>]*>|: (?:string|number)(?= =)/gm, "");
}

/** Starts the project's server for a test. @returns its URL */
async function start(): Promise<string> {
  const { NODE_ENV: _, PORT: __, ...env } = process.env;
  const child = spawn("npx", ["storefront", "start", "--port", "0"], {
    cwd: project,
    env,
    // npx, its shell and the server make up a process group of their own.
    detached: true,
  });
  const exited = once(child, "exit");
  onTestFinished(async () => {
    process.kill(-(child.pid as number), "SIGTERM");
    await exited;
  });
  let output = "";
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += String(chunk);
      const origin = /listens on (\S+)/.exec(output)?.[1];
      if (origin !== undefined) resolve(origin);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    void exited.then(() => reject(new Error(`It did not start: ${output}`)));
  });
}
