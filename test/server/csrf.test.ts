import type { Page } from "playwright-core";
import { describe, expect, test, vi } from "vitest";
import { builtinMethods } from "../../rpc/methods/builtin.ts";
import { allowedVerbs } from "../../rpc/method.ts";
import { attacks, type Attack } from "../_attacks.ts";
import { describeWithChromium } from "../_chromium.ts";
import { listen } from "../_https.ts";
import { callFrom, converse, emptyPage, servePage, type PageServer } from "../_page-server.ts";
import { createSetup } from "../_setup.ts";

const shop = "https://shop.test";
const cookie = "$session-1001";
const item = { variantId: 666, quantity: 1 };

/** Pages of other origins. If they are on the shop's site, browsers send lax cookies along. */
const strangers = [
  ["https://evil.test", "none", "another site"],
  ["https://evil.test", "lax", "another site"],
  ["http://shop.test", "none", "another site"],
  ["https://evil.shop.test", "lax", "the same site"],
  ["https://shop.test", "lax", "the same site"],
] as const;

describeWithChromium("a logged-in visitor", ["openssl"], (open) => {
  /** A storefront, its victim on a page of the shop, and the origin of an attacker's page. */
  async function start(settings: string, address = "https://evil.test") {
    const served = await servePage(shop, shop, settings);
    const stranger = await listen(address, emptyPage);
    const victim = await open();
    await converse(victim, served);
    const before = await describeVictim(victim, served);
    expect(before).toMatchObject({ user: { id: 7 }, basket: { itemCount: 1 } });
    served.reached.length = served.requests.length = 0;
    return { served, stranger, victim, before };
  }

  test.each(strangers)(
    "a page at %s with cookies of SameSite=%s, which is %s, changes nothing for a logged-in visitor",
    { timeout: 120_000 },
    async (address, sameSite, site) => {
      const settings = `{ session: { sameSite: "${sameSite}" } }`;
      const { served, stranger, victim, before } = await start(settings, address);
      for (const attack of attacks) {
        served.requests.length = 0;
        // Each attack gets a new page, because some pages are still navigating.
        const page = await victim.context().newPage();
        await page.goto(stranger);
        await attack.run(page, served.server);
        await arrive(served, attack.sends.length);
        // The browser must have sent the attack, with the victim's cookie if its rules allow that.
        const expected = attack.sends.map((sent) => [sent, travels(attack, sameSite, site)]);
        const requests = served.requests.map(({ verb, type, cookies }) => [
          `${verb} ${type}`,
          cookies.includes(cookie),
        ]);
        expect(requests, attack.name).toEqual(expected);
        for (const { origin, status } of served.requests) {
          expect(status, attack.name).toBe(origin === null ? 405 : 403);
        }
      }
      expect(served.reached).toEqual([]);
      expect(await describeVictim(victim, served)).toEqual(before);
    },
  );

  test("images with the URL of every method change nothing for a logged-in visitor", async () => {
    const { served, stranger, victim, before } = await start('{ session: { sameSite: "none" } }');
    const page = await victim.context().newPage();
    await page.goto(stranger);
    const names = Object.keys(builtinMethods);
    await page.evaluate(
      (urls) => {
        for (const src of urls) document.body.append(Object.assign(new Image(), { src }));
      },
      names.map((name) => `${served.server}/api/rpc/${name}`),
    );
    await arrive(served, names.length);
    const statuses = served.requests.map(({ cookies, status }) => [
      cookies.includes(cookie),
      status,
    ]);
    // Public methods read no session.
    expect(statuses.filter(([, status]) => status !== 405)).toEqual([[true, 200]]);
    expect(statuses.every(([hasCookie]) => hasCookie)).toBe(true);
    expect(served.reached).toEqual(["getShopConfiguration"]);
    expect(await describeVictim(victim, served)).toEqual(before);
  });

  test("markup injected into the shop's own page changes nothing for a logged-in visitor", async () => {
    const { served, victim, before } = await start("{}");
    for (const { name, sends, run } of attacks) {
      if (!name.startsWith("a form")) continue;
      served.requests.length = 0;
      const page = await victim.context().newPage();
      await page.goto(served.page);
      await run(page, served.server);
      await arrive(served, sends.length);
      expect(served.requests, name).toHaveLength(1);
      const [{ origin, status }] = served.requests as [PageServer["requests"][number]];
      const refusal = origin === "null" ? 403 : sends[0]?.startsWith("GET") ? 405 : 415;
      expect(status, name).toBe(refusal);
    }
    expect(served.reached).toEqual([]);
    expect(await describeVictim(victim, served)).toEqual(before);
  });

  test("accepts calls from the shop's own page", async () => {
    const { served, victim } = await start("{}");
    const { basket } = await callFrom(victim, served.server, "addItemToBasket", item);
    expect(basket.itemCount).toBe(2);
    expect(served.requests).toMatchObject([
      { origin: served.page, cookies: [cookie], status: 200 },
    ]);
    await callFrom(victim, served.server, "logout");
    expect(await callFrom(victim, served.server, "getUser")).toEqual({});
  });
});

describe("over plain HTTP", () => {
  const { start } = createSetup("memory", "server", () => ({ driver: "memory" }));

  test("rejects every HTTP method that a built-in method doesn't accept", async () => {
    const { client } = await start();
    const customer = client();
    const before = (await customer.call("addItemToBasket", item)).body;
    const payload = encodeURIComponent(JSON.stringify(item));
    const headers = { "x-shop-id": "1001", "x-http-method-override": "POST" };
    for (const [name, { access, readOnly, verb }] of Object.entries(builtinMethods)) {
      const isReadable = access === "public" && readOnly;
      expect(verb === "GET", name).toBe(isReadable);
      for (const method of ["GET", "HEAD", "PUT", "DELETE", "PATCH"]) {
        if (method === verb || (isReadable && method === "HEAD")) continue;
        const path = `/api/rpc/${name}?payload=${payload}&_method=POST`;
        const answer = await customer.request(path, { method, headers });
        expect(answer.status, `${method} ${name}`).toBe(405);
        expect(answer.headers.get("allow"), name).toBe(allowedVerbs[verb]);
        expect(answer.setCookies).toEqual([]);
      }
    }
    expect((await customer.call("getBasket")).body).toEqual(before);
  });

  test("rejects a page of another origin by every HTTP method that changes something", async () => {
    const { client } = await start();
    const customer = client();
    const before = (await customer.call("addItemToBasket", item)).body;
    for (const [name, { verb }] of Object.entries(builtinMethods)) {
      if (verb === "GET") continue;
      for (const header of [{ origin: "https://evil.test" }, { "sec-fetch-site": "cross-site" }]) {
        const headers = new Headers(Object.entries({ "x-shop-id": "1001", ...header }));
        const answer = await customer.request(`/api/rpc/${name}`, { method: verb, headers });
        expect(answer, `${verb} ${name}`).toMatchObject({ status: 403, setCookies: [] });
      }
    }
    expect((await customer.call("getBasket")).body).toEqual(before);
  });

  test.each([
    ["cross-site", 403],
    ["same-site", 403],
    ["same-origin", 200],
    ["none", 200],
  ])(
    "responds to a POST with Sec-Fetch-Site: %s and without Origin with %i",
    async (site, status) => {
      const { client } = await start();
      const headers = { "sec-fetch-site": site };
      expect((await client().call("addItemToBasket", item, headers)).status).toBe(status);
    },
  );

  test.each([
    "text/plain",
    "text/plain; application/json",
    "text/plain;charset=application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=application/json",
    "application/json-seq",
    "",
  ])("rejects a JSON body with the content type %j", async (type) => {
    const { client } = await start();
    const answer = await client().call("addItemToBasket", item, { "content-type": type });
    expect(answer).toMatchObject({ status: 415, body: { code: "not_json" }, setCookies: [] });
  });
});

/** The state that an attack must not change. */
async function describeVictim(page: Page, { page: origin, server }: PageServer) {
  const { user } = await callFrom(page, server, "getUser");
  const { basket } = await callFrom(page, server, "getBasket");
  const [session] = await page.context().cookies(origin);
  return { user, basket, session: session?.value };
}

/** Waits until the server has responded to this number of requests. */
async function arrive({ requests }: PageServer, count: number): Promise<void> {
  await vi.waitFor(() => expect(requests.length).toBeGreaterThanOrEqual(count), 10_000);
}

/** Whether the browser sends the victim's cookie with an attack. */
function travels(
  { isOfNoSite, takes }: Attack,
  sameSite: "none" | "lax",
  site: (typeof strangers)[number][2],
): boolean {
  if (takes === "nothing") return false;
  return (
    sameSite === "none" || takes === "lax" || (site === "the same site" && isOfNoSite !== true)
  );
}
