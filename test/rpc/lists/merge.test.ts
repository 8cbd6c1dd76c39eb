import { describe, expect, test } from "vitest";
import * as z from "zod";
import { builtinMethods } from "../../../rpc/methods/builtin.ts";
import { defineRpcMethod } from "../../../rpc/method.ts";
import { createFaultyDriver, hold, outage, type FaultyDriver } from "../../_faulty-driver.ts";
import { retired } from "../../_sessions.ts";
import { createMatrix, describeMatrix } from "../../_setup.ts";
import type { Visitor } from "../../_visitor.ts";

/** Logs in without a password. */
const enter = defineRpcMethod({
  signsIn: true,
  input: z.strictObject({ id: z.string() }),
  async handler(user, context) {
    return { merge: await context.createUserBoundSession(user) };
  },
});
const remember = defineRpcMethod({
  input: z.record(z.string(), z.string()),
  handler: (data, { updateCustomData }) => updateCustomData(data),
});
const recall = defineRpcMethod({ handler: (_, { customData }) => customData });
const methods = { enter, remember, recall };

const add = (visitor: Visitor, variantId: unknown, quantity = 1) =>
  visitor.call("addItemToBasket", { variantId, quantity });

/** Quantities by variant. */
async function linesOf(visitor: Visitor): Promise<Record<string, number>> {
  const { items } = (await visitor.call("getBasket")).body.basket;
  return Object.fromEntries(
    items.map((item: { variantId: string; quantity: number }) => [item.variantId, item.quantity]),
  );
}

async function wishesOf(visitor: Visitor): Promise<unknown[]> {
  const { items } = (await visitor.call("getWishlist")).body.wishlist;
  return items.map((item: { variantId?: unknown; productId?: unknown }) =>
    item.variantId === undefined ? item.productId : item.variantId,
  );
}

const enterAs = (visitor: Visitor, id: string) => visitor.call("enter", { id });

describeMatrix("a login with a guest's lists", ({ driver, start, storage }) => {
  test("merges the guest's basket once, and reports the outcome of each line", async () => {
    const { visitor } = await start({ methods, basket: { maxQuantity: 10 } });
    const [user, guest] = [visitor(), visitor()];
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

  test("merges the wishlists, with each wish once", async () => {
    const { visitor } = await start({ methods });
    const [user, guest] = [visitor(), visitor()];
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
    const { visitor } = await start({
      methods,
      shops: [
        { shopId: 1001, locale: "de-DE", currency: "EUR", path: "de", basket: { mergeStrategy } },
        { shopId: 1002, locale: "en-US", currency: "USD", path: "us" },
      ],
    });
    const user = visitor();
    await enterAs(user, "has-some");
    await add(user, "both", 1);
    await add(user, "user", 1);
    for (const [id, expected] of [["has-some", full] as const, ["has-none", empty] as const]) {
      const guest = visitor();
      await add(guest, "both", 2);
      await add(guest, "guest", 1);
      expect((await enterAs(guest, id)).body.merge.status).toBe("merged");
      expect(await linesOf(guest)).toEqual(expected);
    }
    expect(await linesOf(user)).toEqual(full);
    const elsewhere = visitor(1002);
    await add(elsewhere, "guest", 1);
    await enterAs(elsewhere, "has-some");
    expect(await linesOf(elsewhere)).toEqual({ guest: 1 });
  });

  test("keeps the user's basket if the guest's is empty, even with useGuest", async () => {
    const { visitor } = await start({ methods, basket: { mergeStrategy: "useGuest" } });
    const [user, guest] = [visitor(), visitor()];
    await enterAs(user, "u1");
    await add(user, "a", 2);
    await add(guest, "b", 1);
    await guest.call("clearBasket");
    await enterAs(guest, "u1");
    expect(await linesOf(guest)).toEqual({ a: 2 });
  });

  test("keeps the custom data of a guest and of the same user, but not of another user", async () => {
    const { visitor } = await start({ methods });
    const browser = visitor();
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
    const { visitor } = await start({ methods });
    const browser = visitor();
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
    // On Redis, another process.
    const second = driver === "redis" ? await start({ methods, storage: { session } }) : first;
    const guest = first.visitor();
    await add(guest, "a", 2);
    await guest.call("addItemToWishlist", { productId: "w" });
    const twins = Array.from({ length: 8 }, (_, index) => {
      const twin = (index % 2 === 0 ? first : second).visitor();
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
    const { visitor } = await start({ methods });
    const guest = visitor();
    await add(guest, "a", 2);
    const again = guest.clone();
    await enterAs(guest, "u1");
    await enterAs(again, "u1");
    expect(await linesOf(again)).toEqual({ a: 2 });
    expect(await linesOf(guest)).toEqual({ a: 2 });
  });

  test("keeps or rejects each line that a parallel call of the guest adds", async () => {
    const { visitor } = await start({ methods });
    for (let round = 0; round < 5; round++) {
      const guest = visitor();
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
    const { visitor } = await start({ methods });
    const [guest, thief] = [visitor(), visitor()];
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

describe("a login while the storage fails", () => {
  const matrix = createMatrix("memory", "request", () => ({ driver: "memory" }));
  const { start } = matrix;

  test("succeeds without the storage of baskets, and the next call merges once", async () => {
    const baskets = createFaultyDriver();
    const { visitor } = await start({ methods, storage: { basket: baskets.driver } });
    const guest = visitor();
    await add(guest, "a", 2);
    await guest.call("addItemToWishlist", { productId: "w" });
    const old = guest.clone();
    baskets.before = outage;
    const login = await enterAs(guest, "u1");
    expect(login).toMatchObject({ status: 200, body: { merge: { status: "pending", lines: [] } } });
    expect(guest.sessionId).toMatch(/^u1:/);
    expect((await guest.call("getUser")).body.user).toEqual({ id: "u1" });
    baskets.heal();
    expect(await add(old, "b")).toMatchObject(retired);
    for (let call = 0; call < 3; call++) expect(await linesOf(guest)).toEqual({ a: 2 });
    expect(await wishesOf(guest)).toEqual(["w"]);
    expect((await enterAs(guest, "u1")).body.merge).toEqual({ status: "none", lines: [] });
  });

  /** A guest with 2 × "a" and a wish, and a user who has 1 × "a". */
  async function arrange(faulty: FaultyDriver): Promise<{ guest: Visitor; device: Visitor }> {
    const { visitor } = await start({ methods, storage: { session: faulty.driver } });
    const [guest, device] = [visitor(), visitor()];
    await enterAs(device, "u1");
    await add(device, "a");
    await add(guest, "a", 2);
    await guest.call("addItemToWishlist", { productId: "w" });
    return { guest, device };
  }

  /** Lets the n-th of the coming operations fail, in one of the ways there are. */
  const failures: Record<string, (faulty: FaultyDriver, nth: number) => void> = {
    fails: (faulty, nth) => {
      faulty.before = () => void (--nth === 0 && outage());
    },
    "succeeds, but its reply is lost": (faulty, nth) => {
      faulty.after = () => void (--nth === 0 && outage());
    },
    "fails, and so do all later ones": (faulty, nth) => {
      faulty.before = () => void (--nth <= 0 && outage());
    },
  };

  async function countOperations(): Promise<number> {
    const faulty = createFaultyDriver();
    const { guest } = await arrange(faulty);
    faulty.operations.length = 0;
    await enterAs(guest, "u1");
    return faulty.operations.length;
  }

  test.each(Object.entries(failures))(
    "has the basket once after the next login if any operation %s",
    async (_, fail) => {
      matrix.allowErrors();
      const count = await countOperations();
      expect(count).toBeGreaterThan(8);
      for (let nth = 1; nth <= count; nth++) {
        const faulty = createFaultyDriver();
        const { guest, device } = await arrange(faulty);
        fail(faulty, nth);
        const { status, setCookies } = await enterAs(guest, "u1");
        faulty.heal();
        const place = `operation ${nth}, status ${status}`;
        expect([200, 503], place).toContain(status);
        expect(setCookies, place).toHaveLength(status === 200 ? 1 : 0);
        expect((await enterAs(guest, "u1")).status, place).toBe(200);
        for (const visitor of [guest, device]) {
          expect(await linesOf(visitor), place).toEqual({ a: 3 });
          expect(await wishesOf(visitor), place).toEqual(["w"]);
        }
      }
    },
  );

  test.each(Object.entries(failures))(
    "leaves the visitor a cookie that works if any operation %s",
    async (_, fail) => {
      matrix.allowErrors();
      const count = await countOperations();
      for (let nth = 1; nth <= count; nth++) {
        const faulty = createFaultyDriver();
        const { guest } = await arrange(faulty);
        fail(faulty, nth);
        const { status } = await enterAs(guest, "u1");
        faulty.heal();
        const place = `operation ${nth}, status ${status}`;
        expect((await add(guest, "later")).status, place).toBe(200);
        if (status === 200) {
          expect(await linesOf(guest), place).toEqual({ a: 3, later: 1 });
          expect(await wishesOf(guest), place).toEqual(["w"]);
        }
        await enterAs(guest, "u1");
        expect(await linesOf(guest), place).toEqual({ a: 3, later: 1 });
        expect(await wishesOf(guest), place).toEqual(["w"]);
      }
    },
  );

  test("leaves the guest a cookie that works if the login fails and the user logs in elsewhere", async () => {
    matrix.allowErrors();
    const count = await countOperations();
    for (let nth = 1; nth <= count; nth++) {
      const faulty = createFaultyDriver();
      const { guest, device } = await arrange(faulty);
      failures["fails"]?.(faulty, nth);
      const { status } = await enterAs(guest, "u1");
      faulty.heal();
      await enterAs(device, "u1");
      const place = `operation ${nth}, status ${status}`;
      expect((await add(guest, "later")).status, place).toBe(200);
      await enterAs(guest, "u1");
      expect(await linesOf(device), place).toEqual({ a: 3, later: 1 });
    }
  });
});

describe("a login in parallel with other calls", () => {
  const { start } = createMatrix("memory", "request", () => ({ driver: "memory" }));

  test("merges a basket that begins while the login copies the session", async () => {
    const faulty = createFaultyDriver();
    const { visitor } = await start({ methods, storage: { session: faulty.driver } });
    const guest = visitor();
    await guest.call("remember", { a: "1" });
    const tab = guest.clone();
    const gate = hold(faulty, "before", "write user:");
    const login = enterAs(guest, "u1");
    await gate.reached;
    expect((await add(tab, "late")).status).toBe(200);
    expect((await tab.call("remember", { b: "2" })).status).toBe(204);
    gate.open();
    expect((await login).body.merge.status).toBe("merged");
    expect(await linesOf(guest)).toEqual({ late: 1 });
    expect((await guest.call("recall")).body).toEqual({ a: "1", b: "2" });
    expect(await tab.call("recall")).toMatchObject(retired);
  });

  test.each(["u1", "u2"])(
    "merges a basket into that of u1 only, although %s logs in with it, too",
    async (id) => {
      const faulty = createFaultyDriver();
      const { visitor } = await start({ methods, storage: { session: faulty.driver } });
      const guest = visitor();
      await add(guest, "a", 2);
      const tab = guest.clone();
      const gate = hold(faulty, "after", "read session:");
      const late = enterAs(tab, id);
      await gate.reached;
      await enterAs(guest, "u1");
      gate.open();
      expect((await late).status).toBe(200);
      expect(await linesOf(guest)).toEqual({ a: 2 });
      expect(await linesOf(tab)).toEqual(id === "u1" ? { a: 2 } : {});
    },
  );

  test.each([
    ["addItemToBasket", { variantId: "late", quantity: 1 }],
    ["clearBasket", undefined],
    ["addItemToWishlist", { productId: "late" }],
  ])("rejects %s of the guest after the lists have moved to the user", async (method, payload) => {
    const faulty = createFaultyDriver();
    const { visitor } = await start({ methods, storage: { session: faulty.driver } });
    const guest = visitor();
    await add(guest, "early");
    await guest.call("addItemToWishlist", { productId: "early" });
    const tab = guest.clone();
    const gate = hold(faulty, "after", "read session:");
    const late = tab.call(method, payload);
    await gate.reached;
    expect((await enterAs(guest, "u1")).body.merge.status).toBe("merged");
    gate.open();
    expect(await late).toMatchObject({ status: 409, body: { code: "session_changed" } });
    expect(await linesOf(guest)).toEqual({ early: 1 });
    expect(await wishesOf(guest)).toEqual(["early"]);
  });
});
