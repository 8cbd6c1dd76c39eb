import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createStorefront, type StorefrontSettings } from "../../server/storefront.ts";
import { createFolder } from "../_cli.ts";
import { CookieClient } from "../_cookie-client.ts";
import { forProduction, testConfig } from "../_setup.ts";
import { createTestLog } from "../../server/testing/test-log.ts";

const data = "node_modules/.cache/storefront/embedded";

describe("a storefront with a developmentFolder", () => {
  test("keeps the sessions and baskets of the one before it", async () => {
    const folder = await createFolder({});
    const first = open({ developmentFolder: folder });
    await first.client.call("addItemToBasket", { variantId: 7, quantity: 2 });
    await first.app.close();
    const second = open({ developmentFolder: folder });
    await expectItems(continueIn(second.client, first.client), 2);
  });

  test("shares its baskets with one that replaces it in the same process, and loses no write", async () => {
    const folder = await createFolder({});
    const first = open({ developmentFolder: folder });
    await first.client.call("addItemToBasket", { variantId: 7, quantity: 1 });
    const { client } = open({ developmentFolder: folder });
    const second = continueIn(client, first.client);
    const writes = [first.client, second].flatMap((each) =>
      Array.from({ length: 20 }, () => each.call("addItemToBasket", { variantId: 7, quantity: 1 })),
    );
    const statuses = (await Promise.all(writes)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200]));
    await expectItems(second, 41);
  });

  test("starts empty and says so if another version has written the files", async () => {
    const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    onTestFinished(() => write.mockRestore());
    const folder = await createFolder({});
    const first = open({ developmentFolder: folder });
    await first.client.call("addItemToBasket", { variantId: 7, quantity: 2 });
    await first.app.close();
    const state = join(folder, data, "state.json");
    const text = await readFile(state, "utf8");
    await writeFile(state, text.replace(/"version":"[^"]+"/, '"version":"0.0.1"'));
    const second = open({ developmentFolder: folder });
    await expectItems(continueIn(second.client, first.client), 0);
    expect(write.mock.calls.join()).toContain("The development data starts empty");
  });

  test("ignores it in production", async () => {
    const folder = await createFolder({});
    const { client } = open({ developmentFolder: folder, production: true });
    await client.call("addItemToBasket", { variantId: 7, quantity: 2 });
    expect(existsSync(join(folder, data))).toBe(false);
  });
});

// --- Internal helpers ---

function open(settings: StorefrontSettings) {
  const { log } = createTestLog();
  const { production = false } = settings;
  const config = { shopSelector: "path" as const, log, ...(production && forProduction) };
  const session = production ? undefined : { secret: undefined };
  const app = createStorefront(testConfig({ ...config, session }), {
    production,
    ...settings,
  });
  onTestFinished(() => app.close());
  const send = async (path: string, init: RequestInit) =>
    app.fetch(new Request(`https://shop.example${path}`, init));
  return { app, client: new CookieClient(send) };
}

function continueIn(client: CookieClient, before: CookieClient): CookieClient {
  for (const [name, value] of before.cookies) client.cookies.set(name, value);
  return client;
}

async function expectItems(client: CookieClient, itemCount: number): Promise<void> {
  expect(await client.call("getBasket")).toMatchObject({ body: { basket: { itemCount } } });
}
