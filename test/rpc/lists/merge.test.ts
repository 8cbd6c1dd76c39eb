import { expect, test } from "vitest";
import { builtinMethods } from "../../../rpc/methods/builtin.ts";
import { retired } from "../../_sessions.ts";
import { describeStorages } from "../../_setup.ts";
import { add, enterAs, linesOf, methods, wishesOf } from "../../fixtures/lists.ts";

describeStorages("a login with a guest's lists", ({ driver, start, storage }) => {
  test("merges the guest's basket once, and reports the outcome of each line", async () => {
    const { client } = await start({ methods, basket: { maxQuantity: 10 } });
    const [user, guest] = [client(), client()];
    await enterAs(user, "u1");
    await add(user, "summed", 3);
    await add(user, "capped", 8);
    await add(guest, "added", 1);
    await add(guest, "summed", 2);
    await add(guest, "capped", 5);
    const lines = ["added", "summed", "capped"].map((name) => ({ variantId: name, outcome: name }));
    const answer = await enterAs(guest, "u1");
    expect(answer.body).toEqual({ merge: { status: "merged", lines } });
    const merged = { added: 1, summed: 5, capped: 10 };
    expect(await linesOf(guest)).toEqual(merged);
    expect(await linesOf(user)).toEqual(merged);
    expect((await enterAs(guest, "u1")).body).toEqual({ merge: { status: "none", lines: [] } });
    expect(await linesOf(user)).toEqual(merged);
  });

  test("merges the wishlists, with each item once", async () => {
    const { client } = await start({ methods });
    const [user, guest] = [client(), client()];
    await enterAs(user, "u1");
    await user.call("addItemToWishlist", { productId: "a" });
    for (const wish of [{ productId: "a" }, { variantId: "a" }, { productId: "b" }]) {
      await guest.call("addItemToWishlist", wish);
    }
    expect((await enterAs(guest, "u1")).body.merge).toEqual({ status: "merged", lines: [] });
    const { items } = (await guest.call("getWishlist")).body.wishlist;
    expect(items).toMatchObject([{ productId: "a" }, { variantId: "a" }, { productId: "b" }]);
    expect(items).toHaveLength(3);
  });

  const strategies = [
    ["merge", { both: 3, guest: 1, user: 1 }, { both: 2, guest: 1 }],
    ["useGuest", { both: 2, guest: 1 }, { both: 2, guest: 1 }],
    ["useExisting", { both: 1, user: 1 }, {}],
    ["useGuestIfExistingEmpty", { both: 1, user: 1 }, { both: 2, guest: 1 }],
  ] as const;

  test.each(strategies)("merges by the shop's strategy %s", async (mergeStrategy, full, empty) => {
    const { client } = await start({
      methods,
      shops: [
        { shopId: 1001, locale: "de-DE", currency: "EUR", path: "de", basket: { mergeStrategy } },
        { shopId: 1002, locale: "en-US", currency: "USD", path: "us" },
      ],
    });
    const user = client();
    await enterAs(user, "has-some");
    await add(user, "both", 1);
    await add(user, "user", 1);
    for (const [id, expected] of [["has-some", full] as const, ["has-none", empty] as const]) {
      const guest = client();
      await add(guest, "both", 2);
      await add(guest, "guest", 1);
      expect((await enterAs(guest, id)).body.merge.status).toBe("merged");
      expect(await linesOf(guest)).toEqual(expected);
    }
    expect(await linesOf(user)).toEqual(full);
    const elsewhere = client(1002);
    await add(elsewhere, "guest", 1);
    await enterAs(elsewhere, "has-some");
    expect(await linesOf(elsewhere)).toEqual({ guest: 1 });
  });

  test("keeps the user's basket if the guest's is empty, even with useGuest", async () => {
    const { client } = await start({ methods, basket: { mergeStrategy: "useGuest" } });
    const [user, guest] = [client(), client()];
    await enterAs(user, "u1");
    await add(user, "a", 2);
    await add(guest, "b", 1);
    await guest.call("clearBasket");
    await enterAs(guest, "u1");
    expect(await linesOf(guest)).toEqual({ a: 2 });
  });

  test("keeps the custom data of a guest and of the same user, but not of another user", async () => {
    const { client } = await start({ methods });
    const browser = client();
    await browser.call("remember", { campaign: "spring" });
    await enterAs(browser, "u1");
    expect((await browser.call("recall")).body).toEqual({ campaign: "spring" });
    await browser.call("remember", { secret: "of u1" });
    await enterAs(browser, "u1");
    expect((await browser.call("recall")).body).toEqual({ campaign: "spring", secret: "of u1" });
    await enterAs(browser, "u2");
    expect((await browser.call("recall")).body).toEqual({});
  });

  test("keeps a user's basket from the next user in the same browser", async () => {
    const { client } = await start({ methods });
    const browser = client();
    await enterAs(browser, "u1");
    await add(browser, "a", 2);
    await enterAs(browser, "u2");
    expect(await linesOf(browser)).toEqual({});
    await enterAs(browser, "u1");
    expect(await linesOf(browser)).toEqual({ a: 2 });
  });

  test("neither doubles nor loses the basket if one guest logs in several times in parallel", async () => {
    const session = storage();
    const first = await start({ methods, storage: { session } });
    // On Redis, this simulates another process.
    const second = driver === "redis" ? await start({ methods, storage: { session } }) : first;
    const guest = first.client();
    await add(guest, "a", 2);
    await guest.call("addItemToWishlist", { productId: "w" });
    const twins = Array.from({ length: 8 }, (_, index) => {
      const twin = (index % 2 === 0 ? first : second).client();
      for (const [name, value] of guest.cookies) twin.cookies.set(name, value);
      return twin;
    });
    const answers = await Promise.all(twins.map((twin) => enterAs(twin, "u1")));
    expect(answers.map(({ status }) => status)).toEqual(twins.map(() => 200));
    expect(new Set(twins.map(({ sessionId }) => sessionId)).size).toBe(8);
    for (const twin of twins) {
      expect(await linesOf(twin)).toEqual({ a: 2 });
      expect(await wishesOf(twin)).toEqual(["w"]);
    }
    expect(await guest.call("getBasket")).toMatchObject(retired);
  });

  test("merges once if the login is repeated with the guest's cookie", async () => {
    const { client } = await start({ methods });
    const guest = client();
    await add(guest, "a", 2);
    const again = guest.clone();
    await enterAs(guest, "u1");
    await enterAs(again, "u1");
    expect(await linesOf(again)).toEqual({ a: 2 });
    expect(await linesOf(guest)).toEqual({ a: 2 });
  });

  test("keeps or rejects each line that a parallel call of the guest adds", async () => {
    const { client } = await start({ methods });
    for (let round = 0; round < 5; round++) {
      const guest = client();
      await (round % 2 === 0 ? add(guest, "before") : guest.call("remember", { a: "b" }));
      const tabs = Array.from({ length: 12 }, () => guest.clone());
      const calls = tabs.map((tab, index) => add(tab, `tab-${index}`));
      const [login, ...answers] = await Promise.all([enterAs(guest, `u${round}`), ...calls]);
      expect(login.status).toBe(200);
      const lines = await linesOf(guest);
      for (const [index, answer] of answers.entries()) {
        expect(answer.setCookies).toEqual([]);
        const isKept = answer.status === 200;
        expect(lines[`tab-${index}`]).toBe(isKept ? 1 : undefined);
        if (!isKept)
          expect(answer).toMatchObject({ status: 409, body: { code: "session_changed" } });
      }
    }
  });

  test("gives no access to a basket by its key", async () => {
    const { client } = await start({ methods });
    const [guest, thief] = [client(), client()];
    const { key } = (await add(guest, "a", 2)).body.basket;
    await add(thief, "b");
    for (const method of Object.keys(builtinMethods)) {
      for (const payload of [{ key }, { basketKey: key }, { itemKey: key }, key]) {
        const { body } = await thief.call(method, payload);
        expect(JSON.stringify(body) ?? "").not.toContain('"a"');
      }
    }
    thief.cookies.set("$session-1001", key);
    expect(await linesOf(thief)).toEqual({});
    expect(await linesOf(guest)).toEqual({ a: 2 });
  });
});
