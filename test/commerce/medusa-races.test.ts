import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import type { CookieClient } from "../_cookie-client.ts";
import { measureMedian, tally } from "./_answers.ts";
import { isRequest, useMedusaShop } from "./_medusa-shop.ts";

const shop = useMedusaShop();

describe("adds", () => {
  test("keeps ten parallel first adds, and begins one cart", async () => {
    const { proxy, visitor } = shop();
    const guest = visitor();
    await guest.call("addItemToWishlist", { variantId: 1 });
    const from = proxy.requests.length;
    const answers = await Promise.all(Array.from({ length: 10 }, () => add(guest, "cable")));
    expect(tally(answers)).toEqual({ "200": 10 });
    expect(await quantities(guest)).toEqual({ CABLE: 10 });
    expect(proxy.requests.slice(from).filter(isRequest(/^POST \/store\/carts$/))).toHaveLength(1);
  });

  test("keeps twenty parallel later adds", async () => {
    const guest = shop().visitor();
    await add(guest, "cable");
    const answers = await Promise.all(Array.from({ length: 20 }, () => add(guest, "cable")));
    expect(tally(answers)).toEqual({ "200": 20 });
    expect(await quantities(guest)).toEqual({ CABLE: 21 });
  });

  test("counts an add once if its response is lost and the client repeats it", async () => {
    const { proxy, visitor } = shop();
    const guest = visitor();
    await add(guest, "cable");
    for (let round = 0; round < 10; round++) {
      const key = randomUUID();
      proxy.faults = { lose: isRequest(/^POST .*\/line-items/) };
      expect((await add(guest, "cable", 1, key)).status).toBe(503);
      proxy.faults = {};
      expect((await add(guest, "cable", 1, key)).status).toBe(200);
    }
    expect(await quantities(guest)).toEqual({ CABLE: 11 });
  });

  test("counts the first add once if its response is lost, also without a key", async () => {
    const { proxy, visitor } = shop();
    const guest = visitor();
    proxy.faults = { lose: isRequest(/^POST .*\/line-items/) };
    expect((await add(guest, "cable", 3)).status).toBe(503);
    proxy.faults = {};
    expect((await add(guest, "laptop")).status).toBe(200);
    expect(await quantities(guest)).toEqual({ CABLE: 3, LAPTOP: 1 });
  });

  test("fills a line up to the stock, then rejects adds with out_of_stock", async () => {
    const guest = shop().visitor();
    const first = await add(guest, "mouse", 5);
    expect(first).toMatchObject({
      status: 200,
      body: { short: [{ reason: "out_of_stock", quantity: 2 }] },
    });
    const second = await add(guest, "mouse");
    expect(second).toMatchObject({ status: 409, body: { code: "out_of_stock" } });
    expect(await quantities(guest)).toEqual({ MOUSE: 2 });
  });

  test("begins a new cart after an order", async () => {
    const { medusa, visitor } = shop();
    const guest = visitor();
    await add(guest, "cable", 2);
    query(medusa.databaseUrl, "update cart set completed_at = now()");
    expect(await quantities(guest)).toEqual({});
    expect((await add(guest, "laptop")).status).toBe(200);
    expect(await quantities(guest)).toEqual({ LAPTOP: 1 });
  });
});

describe("logins", () => {
  test("moves the guest's lines to the customer's cart, and keeps those of the customer", async () => {
    const { register, visitor } = shop();
    const credentials = await register();
    const phone = visitor();
    await phone.call("login", credentials);
    await add(phone, "cable", 2);
    await add(phone, "laptop");
    const guest = visitor();
    await add(guest, "cable", 3);
    await add(guest, "mouse");
    const { status, body } = await guest.call("login", credentials);
    expect({ status, merge: body.merge.status }).toEqual({ status: 200, merge: "merged" });
    const all = { CABLE: 5, LAPTOP: 1, MOUSE: 1 };
    expect(await quantities(guest)).toEqual(all);
    expect(await quantities(phone)).toEqual(all);
  });

  test("moves the lines once if the login is sent twice at the same time", async () => {
    const { register, visitor } = shop();
    for (let round = 0; round < 3; round++) {
      const credentials = await register();
      const guest = visitor();
      await add(guest, "cable", 2);
      const twin = guest.clone();
      const answers = await Promise.all([
        guest.call("login", credentials),
        twin.call("login", credentials),
      ]);
      expect(tally(answers)).toEqual({ "200": 2 });
      expect(await quantities(guest)).toEqual({ CABLE: 2 });
      expect(await quantities(twin)).toEqual({ CABLE: 2 });
    }
  });

  test("moves the lines once if the response of the login is lost", async () => {
    const { proxy, register, visitor } = shop();
    const credentials = await register();
    const guest = visitor();
    await add(guest, "cable", 2);
    proxy.faults = { lose: isRequest(/^POST \/auth\//) };
    expect((await guest.call("login", credentials)).status).toBe(503);
    proxy.faults = {};
    expect((await guest.call("login", credentials)).status).toBe(200);
    expect(await quantities(guest)).toEqual({ CABLE: 2 });
  });

  test("moves the lines once if Medusa fails while they move", async () => {
    const { proxy, register, visitor } = shop();
    for (const lost of [
      /^POST \/store\/carts$/,
      /^POST \/store\/customers\/me/,
      /^POST .*\/line-items/,
    ]) {
      const credentials = await register();
      const guest = visitor();
      await add(guest, "cable", 2);
      await add(guest, "laptop");
      proxy.faults = { lose: isRequest(lost) };
      const { status, body } = await guest.call("login", credentials);
      expect({ status, merge: body.merge?.status }).toEqual({ status: 200, merge: "pending" });
      proxy.faults = {};
      expect(await quantities(guest)).toEqual({ CABLE: 2, LAPTOP: 1 });
    }
  });

  test("keeps the basket if the user proves the password again", async () => {
    const { register, visitor } = shop();
    const credentials = await register();
    const customer = visitor();
    await customer.call("login", credentials);
    await add(customer, "cable");
    const { password } = credentials;
    expect((await customer.call("reauthenticate", { password })).status).toBe(204);
    expect(await quantities(customer)).toEqual({ CABLE: 1 });
  });

  test("ends one device at a logout, and all with logoutEverywhere", async () => {
    const { register, visitor } = shop();
    const credentials = await register();
    const devices = [visitor(), visitor(), visitor()] as const;
    for (const device of devices) await device.call("login", credentials);
    const [laptop, phone, tablet] = devices;
    await add(laptop, "cable");
    await laptop.call("logout");
    expect(await quantities(laptop)).toEqual({});
    expect(await quantities(phone)).toEqual({ CABLE: 1 });
    await phone.call("logoutEverywhere");
    expect((await tablet.call("getUser")).body).toEqual({});
    expect(await quantities(tablet)).toEqual({});
  });

  test("ends the session of a customer who was deleted in Medusa", async () => {
    const { medusa, register, visitor } = shop();
    const credentials = await register();
    const customer = visitor();
    await customer.call("login", credentials);
    query(
      medusa.databaseUrl,
      `update customer set deleted_at = now() where email = '${credentials.email}'`,
    );
    expect(await add(customer, "cable")).toMatchObject({
      status: 409,
      body: { code: "session_ended" },
    });
    expect((await customer.call("getUser")).body).toEqual({});
  });
});

describe("the token of a customer", () => {
  test("gets renewed once for ten parallel calls", { timeout: 180_000 }, async () => {
    const { medusa, proxy, register, visitor } = shop();
    const credentials = await register();
    await medusa.kill();
    await medusa.restart("30s");
    onTestFinished(async () => {
      await medusa.kill();
      await medusa.restart();
    });
    const customer = visitor();
    const start = performance.now();
    await customer.call("login", credentials);
    await add(customer, "cable");
    // After half of the lifetime, the token is renewed at the next call.
    await sleep(start + 16_000 - performance.now());
    const from = proxy.requests.length;
    const reads = Array.from({ length: 10 }, () => customer.call("getBasket"));
    expect(tally(await Promise.all(reads))).toEqual({ "200": 10 });
    expect(proxy.requests.slice(from).filter(isRequest(/^POST \/auth\/token/))).toHaveLength(1);
    // The first token has expired.
    await sleep(start + 31_000 - performance.now());
    expect(await quantities(customer)).toEqual({ CABLE: 1 });
  });
});

describe("an outage", () => {
  test("gives 503 with Retry-After if Medusa fails, and logs nobody out", async () => {
    const { proxy, register, visitor } = shop();
    const customer = visitor();
    await customer.call("login", await register());
    await add(customer, "cable");
    proxy.faults = { status: 500 };
    const answer = await customer.call("getBasket");
    expect(answer).toMatchObject({ status: 503, body: { code: "commerce_unavailable" } });
    expect(answer.headers.get("retry-after")).toBe("1");
    expect((await customer.call("getUser")).body.user).toBeDefined();
    await expect
      .poll(() => ((proxy.faults = {}), quantities(customer)), { timeout: 5000 })
      .toEqual({ CABLE: 1 });
  });

  test("delays only a few calls if Medusa hangs", { timeout: 60_000 }, async () => {
    const { proxy, visitor } = shop();
    const guest = visitor();
    await add(guest, "cable");
    proxy.faults = { delay: 12_000 };
    const first = await Promise.all(Array.from({ length: 30 }, () => guest.call("getBasket")));
    expect(tally(first)).toEqual({ "503 commerce_unavailable": 30 });
    expect(await measureMedian(() => guest.call("getBasket"))).toBeLessThan(1000);
    proxy.faults = {};
    await expect.poll(() => quantities(guest), { timeout: 10_000 }).toEqual({ CABLE: 1 });
  });

  test("logs nobody out and loses no line if Medusa restarts", async () => {
    const { medusa, register, visitor } = shop();
    const credentials = await register();
    const customer = visitor();
    await customer.call("login", credentials);
    const guest = visitor();
    await add(guest, "cable", 2);
    await guest.call("login", credentials);
    await medusa.kill();
    expect(await add(customer, "laptop")).toMatchObject({ status: 503 });
    await medusa.restart();
    await expect
      .poll(() => quantities(customer), { timeout: 20_000, interval: 300 })
      .toMatchObject({ CABLE: 2 });
    expect((await customer.call("getUser")).body.user.email).toBe(credentials.email);
  });
});

// --- Internal helpers ---

type Variant = "cable" | "laptop" | "mouse";

function add(client: CookieClient, variant: Variant, quantity = 1, key?: string) {
  const payload = { variantId: shop().medusa.variants[variant], quantity };
  return client.call(
    "addItemToBasket",
    payload,
    key === undefined ? {} : { "idempotency-key": key },
  );
}

/** The basket's quantities by SKU. */
async function quantities(client: CookieClient): Promise<Record<string, number>> {
  const { status, body } = await client.call("getBasket");
  if (status !== 200) throw new Error(`getBasket: ${status} ${body.code}`);
  const items = body.basket.items as { variant_sku: string; quantity: number }[];
  return Object.fromEntries(items.map((item) => [item.variant_sku, item.quantity]));
}

function query(databaseUrl: string, statement: string): void {
  execFileSync("psql", ["-q", "-c", statement, databaseUrl]);
}
