import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { startCommerceSystem } from "../_commerce-system.ts";
import { CookieClient } from "../_cookie-client.ts";
import { describeWithRedis, useRedis } from "../_redis.ts";
import { testSecret } from "../_setup.ts";
import { compile, createProject, startServer, writeSnippets } from "../_snippets.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const ada = { email: "ada@example.com", password: "correct horse battery" };

const line = (variantId: string, quantity: number) =>
  expect.objectContaining({ variantId, quantity });

describe("the adapter in docs/commerce-adapter.md", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await createProject(join(root, "node_modules"), ["zod"]);
    await writeSnippets("docs/commerce-adapter.md", folder);
    await compile(folder);
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("fits into 130 lines", async () => {
    const text = await readFile(join(folder, "docs/acme.ts"), "utf8");
    expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(130);
  });

  test("passes the tests for adapters", { timeout: 120_000 }, async () => {
    const system = await startCommerceSystem("carts");
    onTestFinished(() => system.close());
    const run = promisify(execFile);
    const { stdout } = await run("node", ["--test", join(folder, "out/docs/acme.test.js")], {
      env: { ...process.env, ACME_URL: system.url },
    });
    expect(stdout).toMatch(/^# fail 0$/m);
    expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(30);
  });

  describeWithRedis("on two servers", () => {
    const redis = useRedis();

    /** Starts Acme, and two servers with the config of the page. */
    async function open() {
      const system = await startCommerceSystem("carts");
      const cli = join(root, "dist/server/cli/cli.js");
      const config = join(folder, "out/docs/on-redis.config.js");
      const others = {
        storage: { session: { driver: "redis", url: redis().url, base: randomUUID() } },
        session: { secret: testSecret },
        server: { drainDelay: 0, drainTimeout: 1 },
      };
      await writeFile(
        config,
        `import config from "./acme.config.js";
        export default { ...config, ...${JSON.stringify(others)} };`,
      );
      const servers = await Promise.all(
        [1, 2].map(() =>
          startServer(`exec node ${cli} start --config ${config} --port 0`, {
            cwd: folder,
            env: { ACME_URL: system.url },
          }),
        ),
      );
      onTestFinished(async () => {
        await Promise.all(servers.map((server) => server.stop()));
        await system.close();
      });
      const [one, two] = servers.map(
        ({ origin }) => new CookieClient((path, init) => fetch(origin + path, init), 1001),
      ) as [CookieClient, CookieClient];
      return { system, one, two };
    }

    /** Lets the next request of this name fail. */
    function failOnce(system: Awaited<ReturnType<typeof open>>["system"], name: string): void {
      let isDue = true;
      system.fault = (request) => {
        if (!isDue || request !== name) return undefined;
        isDue = false;
        return "lose";
      };
    }

    test("keeps ten adds at the same time, and the basket of a guest who logs in", async () => {
      const { system, one, two } = await open();
      await one.call("addItemToBasket", { variantId: 8, quantity: 1 });
      for (const [name, value] of one.cookies) two.cookies.set(name, value);
      const adds = Array.from({ length: 10 }, (_, index) =>
        (index % 2 === 0 ? one : two).call("addItemToBasket", { variantId: 7, quantity: 1 }),
      );
      expect((await Promise.all(adds)).map(({ status }) => status)).toEqual(Array(10).fill(200));
      expect((await two.call("getBasket")).body.basket).toMatchObject({
        items: [line("8", 1), line("7", 10)],
        total: 7800,
      });
      expect(system.begun()).toBe(1);
      expect((await one.call("register", ada)).status).toBe(200);
      expect((await one.call("getBasket")).body.basket.items).toEqual([
        line("8", 1),
        line("7", 10),
      ]);
      expect(system.basketOf(ada.email)).toEqual({ 7: 10, 8: 1 });
      expect((await one.call("register", ada)).body.code).toBe("email_taken");
      expect((await one.call("placeOrder")).body.order.total).toBe(7800);
      expect((await one.call("getBasket")).body.basket.items).toEqual([]);
      expect((await one.call("logout")).status).toBe(204);
      expect(system.requests).toContain("DELETE /sessions");
      const wrong = await one.call("login", { ...ada, password: "wrong" });
      expect(wrong.body.code).toBe("invalid_credentials");
      expect((await one.call("login", ada)).status).toBe(200);
    });

    test("adds once if a response is lost, and reports shortages", async () => {
      const { system, one } = await open();
      await one.call("addItemToBasket", { variantId: 8, quantity: 1 });
      for (const [index, name] of ["POST /cart/lines/7", "PUT /cart/lines/7"].entries()) {
        failOnce(system, name);
        const headers = { "idempotency-key": randomUUID() };
        const add = () => one.call("addItemToBasket", { variantId: 7, quantity: 2 }, headers);
        expect((await add()).body.code).toBe("commerce_unavailable");
        expect((await add()).body.basket.items).toContainEqual(line("7", 2 * (index + 1)));
      }
      const few = await one.call("addItemToBasket", { variantId: 3, quantity: 8 });
      expect(few.body.short).toEqual([{ variantId: 3, reason: "out_of_stock", quantity: 5 }]);
      const unknown = await one.call("addItemToBasket", { variantId: 5000, quantity: 1 });
      expect(unknown.body.code).toBe("unknown_item");
    });

    test("begins another cart for a guest whose token has ended, and ends a user's session", async () => {
      const { system, one, two } = await open();
      await one.call("addItemToBasket", { variantId: 7, quantity: 1 });
      system.endAll(undefined);
      const added = await one.call("addItemToBasket", { variantId: 8, quantity: 1 });
      expect(added.body.basket.items).toEqual([line("8", 1)]);
      await two.call("register", ada);
      system.endAll(ada.email);
      expect((await two.call("getBasket")).body.code).toBe("session_ended");
      expect((await two.call("getUser")).body).toEqual({});
    });

    test("logs nobody out while Acme refuses connections", async () => {
      const { system, one } = await open();
      await one.call("register", ada);
      system.fault = () => "refuse";
      for (let call = 0; call < 8; call++) {
        expect((await one.call("getBasket")).body.code).toBe("commerce_unavailable");
        expect((await one.call("getUser")).body.user).toEqual({ id: ada.email, email: ada.email });
      }
      system.fault = undefined;
      await vi.waitFor(async () => expect((await one.call("getBasket")).status).toBe(200), 5000);
    });
  });
});
