import createFileDriver from "unstorage/drivers/fs-lite";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import createKvBinding from "unstorage/drivers/cloudflare-kv-binding";
import createKvHttp from "unstorage/drivers/cloudflare-kv-http";
import createMemoryDriver from "unstorage/drivers/memory";
import createNullDriver from "unstorage/drivers/null";
import createOverlay from "unstorage/drivers/overlay";
import { describe, expect, onTestFinished, test } from "vitest";
import { createStorefront } from "../../../server/storefront.ts";
import type { StorefrontConfig } from "../../../server/config/config.ts";
import { resolveConfig } from "../../../server/config/resolve.ts";
import type { StorageConfig } from "../../../storage/documents/driver.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import { createFolder, plain, root, runCli, startCli } from "../../_cli.ts";
import { createDirectory } from "../../_documents.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";
import { testConfig, testSecret } from "../../_setup.ts";
import { CookieClient } from "../../_cookie-client.ts";

const adminToken = "an-admin-token-for-tests-of-more-than-32-characters";
const env = { NODE_ENV: "production", SECRET: testSecret };

const refuse = () => Promise.reject(new Error("Not in this test"));

/** A storefront as a bundler creates it: with a config that is fit for production but perhaps for its storage. */
function create(storage: StorefrontConfig["storage"], config: Partial<StorefrontConfig> = {}) {
  const { log, lines } = createTestLog();
  const app = createStorefront(
    testConfig({ storage, log, admin: { token: adminToken }, ...config }),
    { production: true },
  );
  onTestFinished(() => app.close());
  const send = async (path: string, init: RequestInit) =>
    app.fetch(new Request(`http://localhost${path}`, init));
  return { app, lines, client: new CookieClient(send) };
}

/** The faults that the server rejects in a config at startup. */
function refusalOf(config: Partial<StorefrontConfig>, production: boolean) {
  const { refusal } = resolveConfig(testConfig(config), { production });
  return { faults: refusal?.faults ?? [] };
}

/** A config's file for production with these storages. */
function configWith(storage: string): string {
  const settings = `{ session: { secret: process.env["SECRET"] }, storage: ${storage}, shops`;
  return plain.replace("{ shops", settings);
}

describe("production with a storage of one process", () => {
  test("responds 503 to each call, and the log names the option to set", async () => {
    const base = await createDirectory();
    const { lines, client } = create({ session: { driver: "fs", base } });
    for (const [path, method] of [
      ["/api/rpc/getUser", "POST"],
      ["/api/rpc/getShopConfiguration", "GET"],
      ["/api/admin/endAllSessions", "POST"],
      ["/readyz", "GET"],
    ] as const) {
      lines.length = 0;
      const { status, body } = await client.request(path, { method });
      expect([path, status, body.code]).toEqual([path, 503, "misconfigured"]);
      expect(JSON.stringify(body)).not.toContain("fs");
      expect(lines).toMatchObject([{ level: "error" }]);
      expect(JSON.stringify(lines)).toContain("storage.singleProcess: true");
    }
    expect((await client.request("/healthz")).status).toBe(200);
  });

  test("works if the config says that there is one process", async () => {
    const base = await createDirectory();
    const { client } = create({ session: { driver: "fs", base }, singleProcess: true });
    const { status } = await client.call("addItemToBasket", { variantId: 1, quantity: 1 });
    expect(status).toBe(200);
    expect((await client.request("/readyz")).status).toBe(200);
  });

  test("responds 503 also for a shop's own storage, and for a driver object without a name", async () => {
    const redis = { driver: "redis", url: "redis://127.0.0.1:1" };
    const { getItem, setItem, removeItem, hasItem, getKeys } = createMemoryDriver();
    const own = { getItem, setItem, removeItem, hasItem, getKeys };
    const shops = testConfig().shops.map((shop) => ({ ...shop, storage: { basket: own } }));
    const { app } = create({ session: redis }, { shops });
    expect(app.options.refusal?.faults).toMatchObject([
      { code: "SF510", path: "shops[0].storage.basket", found: '"custom"' },
    ]);
  });

  test("accepts files by name only, or as the object that openDriver makes", async () => {
    const base = await createDirectory();
    const objectOf = createFileDriver({ base });
    const made = openDriver({ driver: "fs", base });
    const layers = [objectOf, made].map((layer) => createOverlay({ layers: [layer] }));
    const found = [objectOf, made, ...layers].map((session) => {
      const { faults } = refusalOf({ storage: { session, singleProcess: true } }, true);
      return faults.map(({ code }) => code);
    });
    expect(found).toEqual([["SF514"], [], ["SF514"], []]);
  });

  test("does not start by the command line", async () => {
    const text = configWith(`{ session: { driver: "fs", base: "./data" } }`);
    const folder = await createFolder({ "storefront.config.ts": text });
    const { code, stdout, stderr } = await runCli(["start"], { folder, env });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("storage.session");
    expect(stderr).toContain("storage.singleProcess: true");
  });

  test("starts by the command line if the config says that there is one process", async () => {
    const storage = `{ session: { driver: "fs", base: "./data" }, singleProcess: true }`;
    const folder = await createFolder({ "storefront.config.ts": configWith(storage) });
    const server = await startCli(["start"], { folder, env });
    expect(server.stdout).toContain(
      "fs for sessions, baskets, accounts: atomic within this process",
    );
  });
});

describe("production with a storage that is not atomic", () => {
  const kv = createKvBinding({ binding: "KV" });
  const account = { driver: "redis", url: "redis://127.0.0.1:1" };

  test("fails, even for one process", () => {
    const { app } = create({ session: kv, account, singleProcess: true });
    expect(app.options.refusal?.faults).toMatchObject([{ code: "SF511", path: "storage.session" }]);
    expect(app.options.refusal?.message).toContain("storage.lossy: true");
  });

  test("starts if the config accepts lost writes, and prints the storage", async () => {
    const { app } = create({ session: kv, account, lossy: true });
    expect(app.options.refusal).toBeUndefined();
    expect(app.options.warnings.join()).toContain("SF506: storage.session");
    const storage = `{ session: createKv({ binding: "KV" }), account: { driver: "fs", base: "./accounts" }, lossy: true, singleProcess: true }`;
    const imported = 'import createKv from "unstorage/drivers/cloudflare-kv-binding";';
    const text = `${imported}\n${configWith(storage)}`;
    const folder = await createFolder({ "storefront.config.ts": text });
    await symlink(join(root, "node_modules/unstorage"), join(folder, "node_modules/unstorage"));
    const server = await startCli(["start"], { folder, env });
    expect(server.stdout).toContain(
      "cloudflare-kv-binding for sessions, baskets: not atomic, so writes can be lost",
    );
  });

  test.each<[string, StorageConfig]>([
    ["cloudflareKVHttp", createKvHttp({ accountId: "a", namespaceId: "n", apiToken: "t" })],
    ["vercelBlob", { ...createMemoryDriver(), name: "vercel-blob" }],
    ["netlifyBlobs", { ...createMemoryDriver(), name: "netlify-blobs" }],
    ["lruCache", { driver: "lruCache" }],
    ["null", createNullDriver()],
  ])("never keeps accounts: %s", (_, lossyAccount) => {
    for (const production of [true, false]) {
      const session = { driver: "redis", url: "redis://127.0.0.1:1" };
      const storage = { session, account: lossyAccount, lossy: true, singleProcess: true };
      const { faults } = refusalOf({ storage }, production);
      expect(faults).toMatchObject([{ code: "SF512", path: "storage.account" }]);
    }
  });
});

test("development stores accounts with the sessions, even in a cache", () => {
  const storage = { session: { driver: "lruCache" } };
  expect(refusalOf({ storage }, false).faults).toEqual([]);
  expect(refusalOf({ storage: { ...storage, singleProcess: true } }, true).faults).toMatchObject([
    { code: "SF512" },
  ]);
});

describe("accounts in memory", () => {
  test("fail in production, even as a layer of an overlay", () => {
    const memory = { driver: "memory" };
    const overlay = createOverlay({ layers: [createMemoryDriver()] });
    for (const session of [memory, createMemoryDriver(), overlay]) {
      const { faults } = refusalOf({ storage: { session, singleProcess: true } }, true);
      expect(faults).toMatchObject([{ code: "SF513", path: "storage.account" }]);
    }
  });

  test("work in development", () => {
    expect(refusalOf({ storage: { session: { driver: "memory" } } }, false).faults).toEqual([]);
  });

  test("don't matter if the config has its own auth", () => {
    const auth = { login: refuse, register: refuse, changePassword: refuse };
    const storage = { session: { driver: "memory" }, singleProcess: true };
    expect(refusalOf({ auth, storage }, true).faults).toEqual([]);
  });
});

describeWithRedis("production with Redis", () => {
  const redis = useRedis();

  test("needs no further key", async () => {
    const { client } = create({ session: { driver: "redis", url: redis().url } });
    expect((await client.call("getUser")).status).toBe(200);
  });
});
