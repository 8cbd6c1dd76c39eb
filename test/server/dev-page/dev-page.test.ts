import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { secret } from "../../../rpc/redaction/secret.ts";
import type { VisitorState } from "../../../server/dev-page/dev-page.ts";
import { openTestDevPage } from "../../_dev-page.ts";

const item = { variantId: 7, quantity: 2 };
const ada = { email: "ada@example.com", password: "correct horse battery" };

function sessionOf({ session }: VisitorState) {
  if (session.state !== "active") throw new Error(`The session is ${session.state}`);
  return session;
}

describe("a visitor of the development page", () => {
  test("gets a session, a basket, and cookies of their own", async () => {
    const page = openTestDevPage();
    const { visitors, call } = await page.call("A", "addItemToBasket", item);
    expect(call.response.status).toBe(200);
    expect(sessionOf(visitors.A).transport).toBe("cookie");
    expect(visitors.A.basket).toMatchObject({ itemCount: 2, revision: 1 });
    expect(visitors.A.cookies).toMatchObject([
      { name: "$session-1001", attributes: expect.stringContaining("HttpOnly; SameSite=Lax") },
    ]);
    expect(visitors.B).toEqual({
      session: { state: "none" },
      basket: null,
      wishlist: null,
      cookies: [],
    });
  });

  test("runs through hooks, limits, and log lines like every other visitor", async () => {
    const methods: string[] = [];
    const page = openTestDevPage({
      hooks: { "storefront:rpc:before": ({ method }) => void methods.push(method) },
      loginAttempts: { perAddress: 1 },
    });
    const wrong = { email: "eve@example.com", password: "wrong password" };
    expect((await page.call("A", "login", wrong)).call.response.status).toBe(401);
    expect((await page.call("B", "login", wrong)).call.response.status).toBe(429);
    expect(methods).toEqual(["login", "login"]);
  });

  test("moves through a registration with a merge, which the list shows before and after", async () => {
    const page = openTestDevPage();
    const guest = await page.call("A", "addItemToBasket", item);
    const { call, visitors } = await page.call("A", "register", ada);
    expect(sessionOf(visitors.A).user).toMatchObject({ email: ada.email });
    expect(sessionOf(visitors.A).id).not.toBe(sessionOf(guest.visitors.A).id);
    expect(visitors.A.basket).toMatchObject({ itemCount: 2 });
    const paths = call.changes.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(["session.user", "session.id", "basket.key"]));
    const user = call.changes.find(({ path }) => path === "session.user");
    expect(user?.before).toBeUndefined();
    expect(user?.after).toMatchObject({ email: ada.email });
  });

  test("sees the revocation by the other visitor", async () => {
    const page = openTestDevPage();
    await page.call("A", "register", ada);
    await page.call("B", "login", ada);
    const { call, visitors } = await page.call("A", "logoutEverywhere", { keepCurrent: true });
    expect(call.response.body).toBe('{"ended":1}');
    expect(visitors.A.session.state).toBe("active");
    expect(visitors.B.session.state).toBe("ended");
    expect(call.changes).toContainEqual({
      visitor: "B",
      path: "session.state",
      before: "active",
      after: "ended",
    });
  });

  test("can begin again as a new visitor, and the old session stays", async () => {
    const page = openTestDevPage();
    await page.call("A", "register", ada);
    const forget = { visitor: "A", shopId: 1001 };
    const response = await page.request("/_storefront/forget", { payload: forget });
    expect(await response.json()).toMatchObject({
      visitors: { A: { session: { state: "none" }, cookies: [] } },
    });
    const { call } = await page.call("B", "login", ada);
    expect(call.response.status).toBe(200);
    const { call: list } = await page.call("B", "listSessions");
    expect(JSON.parse(list.response.body)).toMatchObject({ sessions: [{}, {}] });
  });

  test("gets another session in another shop", async () => {
    const page = openTestDevPage();
    await page.call("A", "addItemToBasket", item);
    const { visitors } = await page.state({ shopId: 1002 });
    expect(visitors.A.session.state).toBe("none");
    const { call } = await page.call("A", "getShopConfiguration", undefined, { shopId: 1002 });
    expect(call.response.body).toContain('"shopId":1002');
  });

  test("can use a bearer token", async () => {
    const page = openTestDevPage({ session: { tokenMethod: ["cookie", "bearer"] } });
    const bearer = { transport: "bearer" };
    await page.call("A", "addItemToBasket", item, bearer);
    const { call, visitors } = await page.call("A", "addItemToBasket", item, bearer);
    expect(call.request.headers.map(([name]) => name)).toContain("authorization");
    expect(sessionOf(visitors.A).transport).toBe("bearer");
    expect(visitors.A.basket).toMatchObject({ itemCount: 4 });
    expect((await page.state()).visitors.A.session.state).toBe("none");
  });

  test("can call a method by GET, and send If-Match", async () => {
    const page = openTestDevPage();
    const { call } = await page.call("A", "getShopConfiguration", undefined, { verb: "GET" });
    expect(call.request.line).toBe("GET /api/rpc/getShopConfiguration");
    expect(call.response.status).toBe(200);
    await page.call("A", "addItemToBasket", item);
    const stale = { headers: { "if-match": '"0"' } };
    const { call: second } = await page.call("A", "addItemToBasket", item, stale);
    expect(second.response.status).toBe(412);
    expect(second.changes).toEqual([]);
  });
});

describe("the browser of the development page", () => {
  test("gets six characters of credentials, and no more, also if a method returns them", async () => {
    const own = "a-cookie-of-the-method";
    const page = openTestDevPage({
      session: { tokenMethod: ["cookie", "bearer"] },
      methods: {
        remember: defineRpcMethod({
          handler() {
            const headers = { "set-cookie": `own=${own}; Path=/` };
            return Response.json({ own }, { headers });
          },
        }),
      },
    });
    const { fetch } = page.app;
    const issued: string[] = [];
    page.app.fetch = async (request) => {
      const response = await fetch(request);
      const cookies = response.headers.getSetCookie().map((line) => line.split(/[=;]/)[1] ?? "");
      issued.push(...cookies, response.headers.get("storefront-auth-token") ?? "");
      return response;
    };
    const texts: string[] = [];
    for (const more of [{}, { transport: "bearer" }]) {
      for (const [method, payload] of [
        ["addItemToBasket", item],
        ["register", { ...ada, email: `${texts.length}@example.com` }],
        ["remember", undefined],
      ] as const) {
        texts.push((await page.call("A", method, payload, more)).text);
      }
    }
    texts.push(JSON.stringify(await page.state()));
    const values = issued.filter((value) => value !== "");
    expect(values.length).toBeGreaterThan(5);
    for (const value of [...values, ...values.map(decodeURIComponent)]) {
      for (const text of texts) expect(text).not.toContain(value.slice(0, 7));
    }
    expect(texts.join("\n")).toContain("own=a-cook…");
  });

  test("finds no password in the list of calls", async () => {
    const page = openTestDevPage({
      methods: {
        pay: defineRpcMethod({
          input: z.strictObject({ card: secret(z.string()), note: z.string() }),
          handler: ({ card, note }) => ({ card, note }),
        }),
        anything: defineRpcMethod({
          input: z.looseObject({}),
          handler: ({ password }) => `You said ${String(password)}`,
        }),
      },
    });
    await page.call("A", "register", ada);
    await page.call("A", "login", { ...ada, password: "a wrong password" });
    await page.call("A", "login", { email: "x", password: ["misplaced password"] });
    await page.call("A", "pay", { card: "4111 1111", note: "thanks" });
    await page.call("A", "anything", { password: "hunter2 hunter2" });
    const { calls } = await page.state();
    const list = JSON.stringify(calls);
    expect(calls).toHaveLength(5);
    expect(list).toContain("thanks");
    for (const typed of [
      ada.password,
      "a wrong password",
      "misplaced password",
      "4111 1111",
      "hunter2 hunter2",
    ]) {
      expect(list).not.toContain(typed);
    }
  });

  test("gets the beginning of an endless response", async () => {
    let isCancelled = false;
    const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode("x".repeat(10_000))),
      cancel: () => void (isCancelled = true),
    });
    const page = openTestDevPage({
      methods: { stream: defineRpcMethod({ handler: () => new Response(endless) }) },
    });
    const { call } = await page.call("A", "stream");
    expect(call.response.body).toMatch(/^x{200000}\n\(The response continues\.\)$/);
    expect(isCancelled).toBe(true);
  });

  test("gets the last 50 calls", async () => {
    const page = openTestDevPage();
    for (let index = 0; index < 52; index++) await page.call("A", "getShopConfiguration");
    const { calls } = await page.state();
    expect(calls.map(({ number }) => number).slice(0, 2)).toEqual([52, 51]);
    expect(calls).toHaveLength(50);
  });

  test("gets the document of the shop, also if the config doesn't send it", async () => {
    const page = openTestDevPage({ openApi: false });
    const response = await page.request("/_storefront/document", { payload: { shopId: 1001 } });
    expect(await response.json()).toMatchObject({ openapi: "3.1.1", paths: {} });
  });
});
