import { expect, test } from "vitest";
import { describeMatrix } from "./_setup.ts";

describeMatrix("smoke", ({ start }) => {
  test("a guest's basket survives register and login", async () => {
    const { visitor } = await start();
    const guest = visitor();
    expect((await guest.call("getUser")).body).toEqual({});
    expect((await guest.call("getBasket")).body).toMatchObject({
      basket: { key: null, items: [] },
    });
    expect(guest.cookies.size).toBe(0);
    const added = await guest.call("addItemToBasket", { variantId: 7, quantity: 2 });
    expect(added).toMatchObject({ status: 200, body: { basket: { itemCount: 2, revision: 1 } } });
    expect(added.setCookies).toHaveLength(1);
    await guest.call("addItemToWishlist", { productId: "p1" });
    const before = guest.sessionId;
    const registered = await guest.call("register", {
      email: "a@example.com",
      password: "correct horse",
    });
    expect(registered).toMatchObject({
      status: 200,
      body: {
        user: { email: "a@example.com" },
        merge: { status: "merged", lines: [{ variantId: 7, outcome: "added" }] },
      },
    });
    expect(guest.sessionId).not.toBe(before);
    expect(guest.sessionId).toMatch(new RegExp(`^${registered.body.user.id}:`));
    expect((await guest.call("getBasket")).body).toMatchObject({ basket: { itemCount: 2 } });
    expect((await guest.call("getWishlist")).body).toMatchObject({
      wishlist: { items: [{ productId: "p1" }] },
    });
    const sessions = await guest.call("listSessions");
    expect(sessions.body.sessions).toMatchObject([{ current: true, shopId: 1001 }]);
    expect((await guest.call("updateUser", { firstName: "Ada" })).body.user.firstName).toBe("Ada");
    expect((await guest.call("getUser")).body.user.firstName).toBe("Ada");
    const old = guest.clone();
    expect(
      (
        await guest.call("updatePassword", {
          oldPassword: "correct horse",
          newPassword: "battery staple",
        })
      ).status,
    ).toBe(200);
    expect((await old.call("getUser")).body).toEqual({});
    expect((await guest.call("getUser")).body.user.firstName).toBe("Ada");
    expect((await guest.call("logout")).status).toBe(204);
    expect(guest.cookies.size).toBe(0);
    const again = await guest.call("login", { email: "A@example.com", password: "battery staple" });
    expect(again).toMatchObject({ status: 200, body: { merge: { status: "none" } } });
    expect((await guest.call("logoutEverywhere")).body).toEqual({ ended: 1 });
    expect((await guest.call("getUser")).body).toEqual({});
  });
});
