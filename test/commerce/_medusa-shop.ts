import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { CookieClient } from "../_cookie-client.ts";
import { startStorefront, type ServerProcess } from "../_process.ts";
import { startRedis } from "../_redis.ts";
import { startFaultProxy, type FaultProxy, type SeenRequest } from "./_fault-proxy.ts";
import { startMedusa, type TestMedusa } from "./_medusa.ts";

/** Two servers on one Redis, in front of one Medusa. */
export interface MedusaShop {
  readonly medusa: TestMedusa;
  /** Between the servers and Medusa. */
  readonly proxy: FaultProxy;
  readonly redisUrl: string;
  /** Returns a visitor without cookies. The calls alternate between both servers. */
  visitor(shopId?: number): CookieClient;
  /** Registers a customer, who logs out again. @returns the credentials */
  register(): Promise<{ readonly email: string; readonly password: string }>;
}

/** Starts them for the tests of one file. Each test begins without faults. */
export function useMedusaShop(): () => MedusaShop {
  const endings: (() => Promise<unknown>)[] = [];
  let shop: MedusaShop;

  beforeAll(async () => {
    const [medusa, redis] = await Promise.all([startMedusa(), startRedis()]);
    endings.push(
      () => medusa.stop(),
      () => redis.stop(),
    );
    const proxy = await startFaultProxy(medusa.url);
    endings.push(() => proxy.stop());
    const { publishableKey, regions } = medusa;
    const env = {
      TEST_MEDUSA: JSON.stringify({ url: proxy.url, publishableKey, regions }),
      TEST_REDIS_URL: redis.url,
    };
    const servers = await Promise.all([startServer(env), startServer(env)]);
    endings.push(...servers.map((server) => () => server.kill()));
    let calls = 0;
    const send: ServerProcess["send"] = (path, init) =>
      (servers[calls++ % 2] as ServerProcess).send(path, init);
    const visitor = (shopId?: number) => new CookieClient(send, shopId);
    shop = {
      medusa,
      proxy,
      redisUrl: redis.url,
      visitor,
      async register() {
        const credentials = { email: `${randomUUID()}@example.com`, password: "correct horse 1" };
        const customer = visitor();
        await customer.call("register", credentials);
        await customer.call("logout");
        return credentials;
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

/** Whether a request is one of these. @param pattern matches the method and the path, for example `POST /store/carts` */
export function isRequest(pattern: RegExp): (request: SeenRequest) => boolean {
  return ({ method, path }) => pattern.test(`${method} ${path.split("?")[0]}`);
}

// --- Internal helpers ---

function startServer(env: Readonly<Record<string, string>>) {
  const cwd = fileURLToPath(new URL("medusa-shop", import.meta.url));
  return startStorefront("storefront.config.ts", { cwd, env });
}
