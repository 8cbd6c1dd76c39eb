import { expect, expectTypeOf, test } from "vitest";
import { createRpcClient, RpcClientError, type RpcClient } from "../../rpc/client.ts";
import { createRpcCaller, respondWithCaller } from "../../server/rpc-caller.ts";
import { describeStorages } from "../_setup.ts";
import { call, methods, pageRequest, visit, type Methods } from "../fixtures/pages.ts";

describeStorages("the caller of a page", ({ start, storage }) => {
  /** Starts a server, and logs a browser in twice. @returns also the cookies of the first login */
  async function startReplaced() {
    const { app, client } = await start({ methods });
    const browser = client();
    await browser.call("signInAs", { id: 5 });
    const old = browser.cookieHeader;
    await browser.call("signInAs", { id: 6 });
    return { app, browser, old };
  }

  test("keeps two writes of a new visitor in one session, one after the other", async () => {
    const { app, client } = await start({ methods, storage: { session: storage() } });
    const rpc = call(app, pageRequest());
    await rpc.addItemToBasket({ variantId: 1, quantity: 1 });
    const { basket } = await rpc.addItemToBasket({ variantId: 2, quantity: 1 });
    expect(basket.items.map((item) => item.variantId)).toEqual([1, 2]);
    expect(rpc.headers.getSetCookie()).toHaveLength(1);
    const browser = client();
    visit(browser, rpc);
    expect((await browser.call("getBasket")).body.basket.itemCount).toBe(2);
  });

  test("continues a visitor's session, and sends no cookie if nothing changed", async () => {
    const { app, client } = await start({ methods });
    const browser = client();
    await browser.call("addItemToBasket", { variantId: 1, quantity: 3 });
    const rpc = call(app, pageRequest(browser.cookieHeader));
    expect((await rpc.getBasket()).basket.itemCount).toBe(3);
    expect((await rpc.whoAmI()).sessionId).toBe(browser.sessionId);
    expect(rpc.headers.getSetCookie()).toEqual([]);
    expect(rpc.headers.get("cache-control")).toBe("private, no-store");
  });

  test("needs no session and no header for public methods", async () => {
    const { app } = await start({ methods });
    const rpc = call(app, pageRequest());
    expect(await rpc.clock()).toBe("1970-01-01T00:00:00.000Z");
    expect((await rpc.getShopConfiguration()).shopId).toBe(1001);
    expect([...rpc.headers]).toEqual([]);
  });

  test("logs in and out, also at the same time as other calls", async () => {
    const { app, client } = await start({ methods });
    const rpc = call(app, pageRequest());
    await Promise.all([
      rpc.addItemToBasket({ variantId: 1, quantity: 1 }),
      rpc.signInAs({ id: 5 }),
      rpc.addItemToBasket({ variantId: 2, quantity: 1 }),
    ]);
    expect((await rpc.getUser()).user).toMatchObject({ id: 5 });
    expect(rpc.headers.getSetCookie()).toHaveLength(1);
    const browser = client();
    visit(browser, rpc);
    expect((await browser.call("getBasket")).body.basket.itemCount).toBe(2);
    await rpc.logout();
    expect((await rpc.getUser()).user).toBeUndefined();
    await rpc.addItemToBasket({ variantId: 3, quantity: 1 });
    expect((await rpc.getBasket()).basket.itemCount).toBe(1);
    expect(rpc.headers.getSetCookie()).toHaveLength(1);
    visit(browser, rpc);
    expect((await browser.call("getBasket")).body.basket.itemCount).toBe(1);
  });

  test("shows methods the page's headers without credentials", async () => {
    const { app } = await start({ methods });
    const headers = { "user-agent": "Firefox", cookie: "$session-1001=secret" };
    expect(await call(app, pageRequest(undefined, { headers })).whoAmI()).toMatchObject({
      agent: "Firefox",
      cookie: null,
    });
  });

  test("finds the shop by the option, the path, or the host of the page", async () => {
    const { app } = await start({ methods });
    const shopOf = async (url: string, shopId?: number) => {
      const rpc = createRpcCaller<Methods>(app, pageRequest(undefined, { url }), { shopId });
      return (await rpc.whoAmI()).shopId;
    };
    expect(await shopOf("http://shop.example/us/products/7")).toBe(1002);
    expect(await shopOf("http://shop.example/de")).toBe(1001);
    expect(await shopOf("http://shop.example/products", 1002)).toBe(1002);
    expect(await shopOf("http://shop.example/de", 1002)).toBe(1002);
    await expect(shopOf("http://shop.example/products")).rejects.toMatchObject({
      code: "unknown_shop",
    });
  });

  test("throws the errors of the typed client", async () => {
    const { app } = await start({ methods });
    const rpc = call(app, pageRequest());
    await expect(rpc.updateUser({})).rejects.toBeInstanceOf(RpcClientError);
    await expect(rpc.updateUser({})).rejects.toMatchObject({ status: 401, code: "not_logged_in" });
    const invalid = rpc.addItemToBasket({ variantId: 1, quantity: -1 });
    await expect(invalid).rejects.toMatchObject({
      code: "invalid_input",
      errors: [{ path: ["quantity"] }],
    });
    const aborted = rpc.getBasket(undefined, { signal: AbortSignal.abort("enough") });
    await expect(aborted).rejects.toBe("enough");
  });

  test("responds to a page that a link on another site opened, and rejects a form of another site", async () => {
    const { app } = await start({ methods });
    const headers = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };
    const linked = call(app, pageRequest(undefined, { headers }));
    expect((await linked.getBasket()).basket.itemCount).toBe(0);
    const posted = call(app, pageRequest(undefined, { headers, method: "POST", body: "a=1" }));
    await expect(posted.getBasket()).rejects.toMatchObject({ code: "foreign_origin" });
  });

  test("redirects a page with a replaced session once to itself", async () => {
    const { app, browser, old } = await startReplaced();
    const show = async (cookie: string) => {
      const rpc = call(app, pageRequest(cookie));
      return respondWithCaller(rpc, async () => {
        const { user } = await rpc.getUser();
        return new Response(JSON.stringify(user), { headers: { "content-type": "text/html" } });
      });
    };
    const response = await show(old);
    expect(response.status).toBe(307);
    expect(response.headers.get("location")).toBe("/de/basket?sort=new");
    expect(response.headers.getSetCookie()).toEqual([]);
    const second = await show(browser.cookieHeader);
    expect(second.status).toBe(200);
    expect(second.headers.get("cache-control")).toBe("private, no-store");
    expect(await second.json()).toMatchObject({ id: 6 });
    await expect(show(old)).rejects.toMatchObject({ code: "session_changed", executed: false });
  });

  test("redirects a page with a replaced session, even if the page returns no Response", async () => {
    const { app, old } = await startReplaced();
    const rpc = call(app, pageRequest(old));
    const response = await respondWithCaller(rpc, async () => {
      await rpc.getUser().catch(() => {});
      return undefined as never;
    });
    expect(response.status).toBe(307);
  });

  test("finds the shop and the path of a page below a prefix that Express removes", async () => {
    const { app, old } = await startReplaced();
    const show = (originalUrl: string, url: string, cookie: string) => {
      const request = pageRequest(cookie, { url: `http://shop.example${url}` });
      return call(app, Object.assign(request, { runtime: { node: { req: { originalUrl } } } }));
    };
    const rpc = show("/de/basket?sort=new", "/basket?sort=new", old);
    await expect(rpc.getUser()).rejects.toMatchObject({ code: "session_changed" });
    expect(rpc.redirect).toBe("/de/basket?sort=new");
    const { shopId } = await show("/us/basket", "/basket", "").getShopConfiguration();
    expect(shopId).toBe(1002);
    const inner = await show("/de/us/basket", "/us/basket", "").getShopConfiguration();
    expect(inner.shopId).toBe(1002);
  });

  test("shows the error of a login with a replaced session, and doesn't repeat the page", async () => {
    const { app, old } = await startReplaced();
    const rpc = call(app, pageRequest(old, { method: "POST" }));
    const login = rpc.login({ email: "nobody@example.com", password: "a wrong password" });
    await expect(login).rejects.toMatchObject({ code: "invalid_credentials" });
    expect(rpc.redirect).toBeUndefined();
  });

  test("adds the headers of a page to its response, and keeps the page's own", async () => {
    const { app } = await start({ methods });
    const rpc = call(app, pageRequest());
    const response = await respondWithCaller(rpc, async () => {
      await rpc.note({ text: "note a" });
      return new Response("page", { status: 201, headers: [["set-cookie", "theme=dark"]] });
    });
    expect(response.status).toBe(201);
    expect(response.headers.getSetCookie()).toEqual([
      "theme=dark",
      expect.stringMatching(/^\$session-1001=/),
    ]);
    expect(await response.text()).toBe("page");
  });
});

describeStorages("the caller", ({ start }) => {
  test("says that a page returned no Response", async () => {
    const { app } = await start({ methods });
    const rpc = call(app, pageRequest());
    for (const page of [undefined, "<p>"]) {
      await expect(respondWithCaller(rpc, () => page as never)).rejects.toThrow(
        "returned no Response",
      );
    }
  });

  test("names the value to pass instead of one that isn't a Request", async () => {
    const { app } = await start();
    for (const wrong of [undefined, {}, { headers: {}, url: "/page" }, { req: pageRequest() }]) {
      expect(() => createRpcCaller(app, wrong as never)).toThrow(/docs\/ssr\.md/);
    }
  });

  test("fits the type of the client", async () => {
    const { app } = await start({ methods });
    const rpc: RpcClient<Methods> = createRpcCaller<Methods>(app, pageRequest());
    expectTypeOf(rpc).toEqualTypeOf(createRpcClient<Methods>({ baseURL: "", shopId: 1 }));
    expect(typeof rpc.getBasket).toBe("function");
    // A promise that resolves to a caller doesn't call it.
    expect((rpc as { then?: unknown }).then).toBeUndefined();
  });
});
