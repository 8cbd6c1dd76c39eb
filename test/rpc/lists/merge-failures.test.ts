import { describe, expect, test } from "vitest";
import type { StorageFaults } from "../../../server/testing/storage-faults.ts";
import { retired } from "../../_sessions.ts";
import { createSetup } from "../../_setup.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { add, enterAs, linesOf, methods, wishesOf } from "../../fixtures/lists.ts";

describe("a login while the storage fails", () => {
  const setup = createSetup("memory", "request", () => ({ driver: "memory" }));
  const { startControlled } = setup;

  test("succeeds without the storage of baskets, and the next call merges once", async () => {
    const { client, storage } = await startControlled({ methods });
    const guest = client();
    await add(guest, "a", 2);
    await guest.call("addItemToWishlist", { productId: "w" });
    const old = guest.clone();
    for (const list of ["basket:", "wishlist:"]) storage.fail("any", { key: list });
    const login = await enterAs(guest, "u1");
    expect(login).toMatchObject({ status: 200, body: { merge: { status: "pending", lines: [] } } });
    expect(guest.sessionId).toMatch(/^u1:/);
    expect((await guest.call("getUser")).body.user).toEqual({ id: "u1" });
    storage.heal();
    expect(await add(old, "b")).toMatchObject(retired);
    for (let call = 0; call < 3; call++) expect(await linesOf(guest)).toEqual({ a: 2 });
    expect(await wishesOf(guest)).toEqual(["w"]);
    expect((await enterAs(guest, "u1")).body.merge).toEqual({ status: "none", lines: [] });
  });

  /** A guest with 2 × "a" and a wish, and a user who has 1 × "a". */
  async function arrange(): Promise<{
    guest: CookieClient;
    device: CookieClient;
    storage: StorageFaults;
  }> {
    const { client, storage } = await startControlled({ methods });
    const [guest, device] = [client(), client()];
    await enterAs(device, "u1");
    await add(device, "a");
    await add(guest, "a", 2);
    await guest.call("addItemToWishlist", { productId: "w" });
    return { guest, device, storage };
  }

  /** Makes the n-th of the next operations fail in a given way. */
  const failures: Record<string, (storage: StorageFaults, nth: number) => void> = {
    fails: (storage, nth) => storage.fail("any", { nth }),
    "succeeds, but its reply is lost": (storage, nth) => storage.loseAnswer("any", { nth }),
    "fails, and so do all later ones": (storage, nth) => {
      for (let later = nth; later < nth + 100; later++) storage.fail("any", { nth: later });
    },
  };

  async function countOperations(): Promise<number> {
    const { guest, storage } = await arrange();
    storage.operations.length = 0;
    await enterAs(guest, "u1");
    return storage.operations.length;
  }

  test.each(Object.entries(failures))(
    "leaves the basket once after the next login if any operation %s",
    async (_, fail) => {
      setup.allowErrors();
      const count = await countOperations();
      expect(count).toBeGreaterThan(8);
      for (let nth = 1; nth <= count; nth++) {
        const { guest, device, storage } = await arrange();
        fail(storage, nth);
        const { status, setCookies } = await enterAs(guest, "u1");
        storage.heal();
        const place = `operation ${nth}, status ${status}`;
        expect([200, 503], place).toContain(status);
        expect(setCookies, place).toHaveLength(status === 200 ? 1 : 0);
        expect((await enterAs(guest, "u1")).status, place).toBe(200);
        for (const client of [guest, device]) {
          expect(await linesOf(client), place).toEqual({ a: 3 });
          expect(await wishesOf(client), place).toEqual(["w"]);
        }
      }
    },
  );

  test.each(Object.entries(failures))(
    "leaves the visitor a cookie that works if any operation %s",
    async (_, fail) => {
      setup.allowErrors();
      const count = await countOperations();
      for (let nth = 1; nth <= count; nth++) {
        const { guest, storage } = await arrange();
        fail(storage, nth);
        const { status } = await enterAs(guest, "u1");
        storage.heal();
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
    setup.allowErrors();
    const count = await countOperations();
    for (let nth = 1; nth <= count; nth++) {
      const { guest, device, storage } = await arrange();
      failures["fails"]?.(storage, nth);
      const { status } = await enterAs(guest, "u1");
      storage.heal();
      await enterAs(device, "u1");
      const place = `operation ${nth}, status ${status}`;
      expect((await add(guest, "later")).status, place).toBe(200);
      await enterAs(guest, "u1");
      expect(await linesOf(device), place).toEqual({ a: 3, later: 1 });
    }
  });
});
