import { describe, expect, test } from "vitest";
import { createFaultyDriver, outage, type FaultyDriver } from "../../_faulty-driver.ts";
import { retired } from "../../_sessions.ts";
import { createSetup } from "../../_setup.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { add, enterAs, linesOf, methods, wishesOf } from "../../fixtures/lists.ts";

describe("a login while the storage fails", () => {
  const setup = createSetup("memory", "request", () => ({ driver: "memory" }));
  const { start } = setup;

  test("succeeds without the storage of baskets, and the next call merges once", async () => {
    const baskets = createFaultyDriver();
    const { client } = await start({ methods, storage: { basket: baskets.driver } });
    const guest = client();
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
  async function arrange(
    faulty: FaultyDriver,
  ): Promise<{ guest: CookieClient; device: CookieClient }> {
    const { client } = await start({ methods, storage: { session: faulty.driver } });
    const [guest, device] = [client(), client()];
    await enterAs(device, "u1");
    await add(device, "a");
    await add(guest, "a", 2);
    await guest.call("addItemToWishlist", { productId: "w" });
    return { guest, device };
  }

  /** Makes the n-th of the next operations fail in a given way. */
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
    "leaves the basket once after the next login if any operation %s",
    async (_, fail) => {
      setup.allowErrors();
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
    setup.allowErrors();
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
