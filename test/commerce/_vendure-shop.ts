import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { CookieClient, type Answer } from "../_cookie-client.ts";
import { startStorefront } from "../_process.ts";
import { useRedis, type TestRedis } from "../_redis.ts";
import { startFaultProxy, type FaultProxy } from "./_fault-proxy.ts";
import { ada, startVendure, variants, type TestVendure } from "./_vendure.ts";

/** Two servers with one Redis, in front of one Vendure. */
export interface VendureShop {
  readonly vendure: TestVendure;
  readonly redis: TestRedis;
  /** Between the servers and Vendure. */
  readonly proxy: FaultProxy;
  /** The output of both servers. */
  readonly output: string;
  /** Starts a guest, whose calls alternate between the servers. */
  guest(shopId?: number): CookieClient;
  /** Logs the customer in, on a new device. */
  login(): Promise<CookieClient>;
  /** Logs the customer in, with an empty basket and no other session. */
  loginAnew(): Promise<CookieClient>;
  /** @returns the last token that Vendure issued for a login */
  latestToken(): string;
  /** Replaces the servers by two others with the same data. */
  restartServers(): Promise<void>;
  stopServers(): Promise<void>;
}

/** Starts the servers for the tests of one file. Each test begins without faults. */
export function useVendureShop(options: { readonly lasting?: boolean } = {}): () => VendureShop {
  const getRedis = useRedis();
  const endings: (() => Promise<unknown>)[] = [];
  let shop: VendureShop;

  beforeAll(async () => {
    const vendure = await startVendure(options);
    endings.push(() => vendure.stop());
    const proxy = await startFaultProxy(vendure.url);
    endings.push(() => proxy.stop());
    const env = { TEST_VENDURE_URL: proxy.url, TEST_REDIS_URL: getRedis().url };
    let servers = await startServers(env);
    endings.push(() => stopServers());
    let count = 0;
    const send = (path: string, init: RequestInit) => {
      const { send: sendToNext } = servers[count++ % servers.length] as (typeof servers)[0];
      return sendToNext(path, init);
    };
    const stopServers = () => Promise.all(servers.map((server) => server.kill()));
    const login = async () => {
      const client = new CookieClient(send);
      expectOk(await client.call("login", ada));
      return client;
    };
    shop = {
      vendure,
      redis: getRedis(),
      proxy,
      get output() {
        return servers.map(({ output }) => output).join("");
      },
      guest: (shopId) => new CookieClient(send, shopId),
      login,
      async loginAnew() {
        const client = await login();
        expectOk(await client.call("clearBasket"));
        expectOk(await client.call("logoutEverywhere", { keepCurrent: true }));
        return client;
      },
      latestToken() {
        const last = proxy.requests.findLast(({ body }) => body.includes("login("));
        return last?.response.get("vendure-auth-token") ?? "";
      },
      async restartServers() {
        servers = await startServers(env);
      },
      async stopServers() {
        await stopServers();
      },
    };
  });

  beforeEach(() => {
    shop.proxy.faults = {};
  });

  afterAll(async () => {
    for (const end of endings.toReversed()) await end();
  });

  return () => shop;
}

/** A line that most tests add. */
export const oneMug = { variantId: variants.creamMug, quantity: 1 } as const;

/** Adds the quantities of a visitor's basket. */
export async function countPieces(client: CookieClient): Promise<number> {
  const { basket } = expectOk(await client.call("getBasket")).body as {
    basket: { items: { quantity: number }[] };
  };
  return basket.items.reduce((sum, { quantity }) => sum + quantity, 0);
}

/** @throws Error if the call failed */
export function expectOk(answer: Answer): Answer {
  if (answer.status < 300) return answer;
  throw new Error(`A call failed with ${answer.status}: ${JSON.stringify(answer.body)}`);
}

// --- Internal helpers ---

const cwd = fileURLToPath(new URL("vendure", import.meta.url));

function startServers(env: Readonly<Record<string, string>>) {
  const start = () => startStorefront("storefront.config.ts", { cwd, env });
  return Promise.all([start(), start()]);
}
