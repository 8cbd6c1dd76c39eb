import { describe, expect, test } from "vitest";
import { createFaultyDriver, hold } from "../../_faulty-driver.ts";
import { retired } from "../../_sessions.ts";
import { createSetup } from "../../_setup.ts";
import { add, enterAs, linesOf, methods, wishesOf } from "../../fixtures/lists.ts";

describe("a login in parallel with other calls", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("merges a basket that begins while the login copies the session", async () => {
    const faulty = createFaultyDriver();
    const { client } = await start({ methods, storage: { session: faulty.driver } });
    const guest = client();
    await guest.call("remember", { a: "1" });
    const tab = guest.clone();
    const barrier = hold(faulty, "before", "write user:");
    const login = enterAs(guest, "u1");
    await barrier.reached;
    expect((await add(tab, "late")).status).toBe(200);
    expect((await tab.call("remember", { b: "2" })).status).toBe(204);
    barrier.open();
    expect((await login).body.merge.status).toBe("merged");
    expect(await linesOf(guest)).toEqual({ late: 1 });
    expect((await guest.call("recall")).body).toEqual({ a: "1", b: "2" });
    expect(await tab.call("recall")).toMatchObject(retired);
  });

  test.each(["u1", "u2"])(
    "merges a basket into that of u1 only, although %s logs in with it, too",
    async (id) => {
      const faulty = createFaultyDriver();
      const { client } = await start({ methods, storage: { session: faulty.driver } });
      const guest = client();
      await add(guest, "a", 2);
      const tab = guest.clone();
      const barrier = hold(faulty, "after", "read session:");
      const late = enterAs(tab, id);
      await barrier.reached;
      await enterAs(guest, "u1");
      barrier.open();
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
    const { client } = await start({ methods, storage: { session: faulty.driver } });
    const guest = client();
    await add(guest, "early");
    await guest.call("addItemToWishlist", { productId: "early" });
    const tab = guest.clone();
    const barrier = hold(faulty, "after", "read session:");
    const late = tab.call(method, payload);
    await barrier.reached;
    expect((await enterAs(guest, "u1")).body.merge.status).toBe("merged");
    barrier.open();
    expect(await late).toMatchObject({ status: 409, body: { code: "session_changed" } });
    expect(await linesOf(guest)).toEqual({ early: 1 });
    expect(await wishesOf(guest)).toEqual(["early"]);
  });
});
