import { expect, test } from "vitest";
import { createRpcCaller, type RpcCaller } from "../../server/rpc-caller.ts";
import { describeStorages } from "../_setup.ts";
import { call, methods, pageRequest, visit, type Methods } from "../fixtures/pages.ts";

describeStorages("the session of a page", ({ start }) => {
  test("keeps parallel writes of a new visitor in one session, with a stale cookie too", async () => {
    const { app, client } = await start({ methods });
    for (const cookie of [undefined, "theme=dark", "$session-1001=s%3Ainvented.abc; theme=dark"]) {
      const rpc = call(app, pageRequest(cookie));
      await Promise.all([
        ...[1, 2, 3, 4].map((variantId) => rpc.addItemToBasket({ variantId, quantity: 1 })),
        rpc.note({ text: "note a" }),
        rpc.addItemToWishlist({ variantId: 7 }),
      ]);
      expect(rpc.headers.getSetCookie()).toHaveLength(1);
      const browser = client();
      visit(browser, rpc);
      expect((await browser.call("getBasket")).body.basket.itemCount).toBe(4);
      expect((await browser.call("getWishlist")).body.wishlist.items).toHaveLength(1);
      expect((await browser.call("readNotes")).body).toEqual(["note a"]);
    }
  });

  test("shares the session between two callers of one request", async () => {
    const { app } = await start({ methods });
    const request = pageRequest();
    const [layout, page] = [call(app, request), call(app, request)];
    await Promise.all([layout.note({ text: "note a" }), page.note({ text: "note b" })]);
    expect(await page.readNotes()).toEqual(["note a", "note b"]);
    expect(layout.headers).toBe(page.headers);
    expect(layout.headers.getSetCookie()).toHaveLength(1);
    const other = call(app, pageRequest());
    expect(await other.readNotes()).toEqual([]);
  });

  test("begins one session in each shop whose methods a page calls", async () => {
    const { app, client } = await start({ methods });
    const request = pageRequest();
    const [here, there] = [1001, 1002].map((shopId) =>
      createRpcCaller<Methods>(app, request, { shopId }),
    ) as [RpcCaller<Methods>, RpcCaller<Methods>];
    await Promise.all([
      here.note({ text: "here" }),
      there.note({ text: "there" }),
      here.addItemToBasket({ variantId: 1, quantity: 1 }),
      there.addItemToBasket({ variantId: 2, quantity: 1 }),
    ]);
    const browsers = [client(1001), client(1002)];
    for (const browser of browsers) visit(browser, here);
    expect(here.headers.getSetCookie()).toHaveLength(2);
    expect(browsers[0]?.sessionId).not.toBe(browsers[1]?.sessionId);
    const notes = browsers.map(async (browser) => (await browser.call("readNotes")).body);
    expect(await Promise.all(notes)).toEqual([["here"], ["there"]]);
    const baskets = browsers.map(async (browser) => {
      const { body } = await browser.call("getBasket");
      return body.basket.items.map((item: { variantId: number }) => item.variantId);
    });
    expect(await Promise.all(baskets)).toEqual([[1], [2]]);
  });

  test("loses no write and no login if a method without signsIn logs in at the same time", async () => {
    const { app, client } = await start({ methods });
    for (const position of [0, 1, 2, 3]) {
      const rpc = call(app, pageRequest());
      const calls = [
        () => rpc.note({ text: "a" }),
        () => rpc.note({ text: "b" }),
        () => rpc.note({ text: "c" }),
      ];
      const login = () => rpc.enterAs({ id: 5 });
      const all = [...calls.slice(0, position), login, ...calls.slice(position)];
      const results = await Promise.allSettled(all.map((send) => send()));
      const [entered] = results.splice(position, 1);
      expect(entered).toMatchObject({ status: "fulfilled" });
      const browser = client();
      visit(browser, rpc);
      expect((await browser.call("getUser")).body.user).toMatchObject({ id: 5 });
      const kept = ["a", "b", "c"].filter((_, index) => results[index]?.status === "fulfilled");
      expect((await browser.call("readNotes")).body).toEqual(kept);
      for (const result of results.filter(({ status }) => status === "rejected")) {
        expect(result).toMatchObject({ reason: { code: "session_changed" } });
      }
    }
  });
});
