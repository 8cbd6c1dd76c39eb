import { randomUUID } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { describeStorages, type Setup } from "../../_setup.ts";
import { stopMonotonicClock } from "../../_stopped-clock.ts";
import { createTestBackend } from "../../_commerce-backend.ts";
import {
  startCommerceSystem,
  type CommerceSystemServer,
  type Fault,
} from "../../_commerce-system.ts";

const account = () => ({ email: `${randomUUID()}@example.com`, password: "correct horse x" });

async function open(setup: Setup, kind: "joins" | "carts") {
  const system = await startCommerceSystem(kind);
  onTestFinished(() => system.close());
  const commerce = createTestBackend({ url: system.url, kind });
  return { ...(await setup.start({ commerce })), system };
}

/** Registers a customer whose basket has two of 7, and a guest who has one of 7 and one of 8. */
async function prepare(setup: Setup, kind: "joins" | "carts") {
  const opened = await open(setup, kind);
  const credentials = account();
  const other = opened.client();
  await other.call("register", credentials);
  await other.call("addItemToBasket", { variantId: 7, quantity: 2 });
  const guest = opened.client();
  await guest.call("addItemToBasket", { variantId: 7, quantity: 1 });
  await guest.call("addItemToBasket", { variantId: 8, quantity: 1 });
  return { ...opened, credentials, guest, other };
}

/** Lets the n-th of the next requests that change a line fail. */
function failOnce(system: CommerceSystemServer, pattern: RegExp, fault: Fault, after = 0) {
  let count = 0;
  system.fault = (request) => (pattern.test(request) && count++ === after ? fault : undefined);
}

describeStorages("a login at a commerce system", (setup) => {
  test.each(["joins", "carts"] as const)(
    "brings the guest's lines to the user: %s",
    async (kind) => {
      const { guest, credentials, system } = await prepare(setup, kind);
      const { status, body } = await guest.call("login", credentials);
      expect(status).toBe(200);
      expect(body.merge.status).toBe("merged");
      if (kind === "carts") {
        expect(body.merge.lines).toEqual([
          { variantId: "7", outcome: "summed" },
          { variantId: "8", outcome: "added" },
        ]);
      }
      expect(system.basketOf(credentials.email)).toEqual({ 7: 3, 8: 1 });
      const { basket } = (await guest.call("getBasket")).body;
      expect(basket.items).toHaveLength(2);
      expect((await guest.call("getUser")).body.user.email).toBe(credentials.email);
    },
  );

  test.each(["joins", "carts"] as const)("joins once if it is sent twice: %s", async (kind) => {
    const { guest, credentials, system } = await prepare(setup, kind);
    const twin = guest.clone();
    const [one, two] = await Promise.all([
      guest.call("login", credentials),
      twin.call("login", credentials),
    ]);
    expect([one.status, two.status].filter((status) => status === 200).length).toBeGreaterThan(0);
    for (const [client, { status }] of [
      [guest, one],
      [twin, two],
    ] as const) {
      if (status === 200) expect((await client.call("getBasket")).status).toBe(200);
    }
    expect(system.basketOf(credentials.email)).toEqual({ 7: 3, 8: 1 });
  });

  test.each(["joins", "carts"] as const)(
    "joins once if its response was lost: %s",
    async (kind) => {
      const { guest, credentials, system } = await prepare(setup, kind);
      failOnce(system, /POST \/login/, "lose");
      expect((await guest.call("login", credentials)).body.code).toBe("commerce_unavailable");
      expect((await guest.call("login", credentials)).status).toBe(200);
      expect(system.basketOf(credentials.email)).toEqual({ 7: 3, 8: 1 });
    },
  );

  test.each(["lose", "refuse", "fail"] as const)(
    "succeeds although the merge fails, and a later call completes the merge: %s",
    async (fault) => {
      for (const after of [0, 1, 2, 3]) {
        const { guest, credentials, system } = await prepare(setup, "carts");
        failOnce(system, /cart\/lines/, fault, after);
        const { status, body } = await guest.call("login", credentials);
        expect(status).toBe(200);
        expect(body.merge.status).toBe("pending");
        const { basket } = (await guest.call("getBasket")).body;
        expect(basket.items).toHaveLength(2);
        expect(system.basketOf(credentials.email)).toEqual({ 7: 3, 8: 1 });
        await guest.call("addItemToBasket", { variantId: 7, quantity: 1 });
        expect(system.basketOf(credentials.email)).toEqual({ 7: 4, 8: 1 });
      }
    },
  );

  test("completes a merge within a second of the system's return", async () => {
    const clock = stopMonotonicClock();
    const { guest, credentials, system } = await prepare(setup, "carts");
    system.fault = (request) => (request === "POST /login" ? undefined : "fail");
    expect((await guest.call("login", credentials)).body.merge.status).toBe("pending");
    for (let count = 0; count < 5; count++) {
      expect((await guest.call("getBasket")).body.code).toBe("commerce_unavailable");
      expect((await guest.call("getUser")).status).toBe(200);
    }
    system.fault = undefined;
    // The circuit breaker tries the system once a second.
    clock.pass(1000);
    expect((await guest.call("getBasket")).status).toBe(200);
    expect(system.basketOf(credentials.email)).toEqual({ 7: 3, 8: 1 });
  });

  test("reports lines that the system does not take", async () => {
    const { client } = await open(setup, "carts");
    const credentials = account();
    const other = client();
    await other.call("register", credentials);
    await other.call("addItemToBasket", { variantId: 3, quantity: 4 });
    const guest = client();
    await guest.call("addItemToBasket", { variantId: 3, quantity: 3 });
    const { body } = await guest.call("login", credentials);
    expect(body.merge.lines).toEqual([{ variantId: "3", outcome: "capped" }]);
  });

  test.each(["joins", "carts"] as const)(
    "keeps the idempotency keys of the guest's changes: %s",
    async (kind) => {
      const { guest, credentials, system } = await prepare(setup, kind);
      const headers = { "idempotency-key": randomUUID() };
      const add = () => guest.call("addItemToBasket", { variantId: 8, quantity: 1 }, headers);
      await add();
      await guest.call("login", credentials);
      expect((await add()).status).toBe(200);
      expect(system.basketOf(credentials.email)).toEqual({ 7: 3, 8: 2 });
    },
  );

  test("adds nothing to a guest's basket that has moved", async () => {
    const { guest, credentials, system } = await prepare(setup, "carts");
    const late = guest.clone();
    await guest.call("login", credentials);
    const { body } = await late.call("addItemToBasket", { variantId: 8, quantity: 1 });
    expect(body.code).toBe("session_changed");
    expect(system.basketOf(credentials.email)).toEqual({ 7: 3, 8: 1 });
  });

  test("keeps adds that run while it moves the basket", async () => {
    const { guest, credentials, system } = await prepare(setup, "carts");
    const adds = Array.from({ length: 5 }, () =>
      guest.clone().call("addItemToBasket", { variantId: 8, quantity: 1 }),
    );
    const [{ status }, ...added] = await Promise.all([guest.call("login", credentials), ...adds]);
    expect(status).toBe(200);
    const kept = added.filter((answer) => answer.status === 200).length;
    expect(added.every((answer) => [200, 409].includes(answer.status))).toBe(true);
    await guest.call("getBasket");
    expect(system.basketOf(credentials.email)).toEqual({ 7: 3, 8: 1 + kept });
  });

  test("with a wrong password leaves the guest's basket", async () => {
    const { guest, credentials } = await prepare(setup, "joins");
    const wrong = await guest.call("login", { ...credentials, password: "wrong horse x" });
    expect(wrong.status).toBe(401);
    expect((await guest.call("addItemToBasket", { variantId: 8, quantity: 1 })).status).toBe(200);
    expect((await guest.call("getBasket")).body.basket.items).toHaveLength(2);
  });

  test("ends the session if the system has ended the login", async () => {
    const { guest, credentials, system } = await prepare(setup, "joins");
    await guest.call("login", credentials);
    system.endAll(credentials.email);
    const ended = await guest.call("getBasket");
    expect(ended).toMatchObject({ status: 409, body: { code: "session_ended" } });
    expect((await guest.call("getUser")).body).toEqual({});
  });

  test("keeps the user logged in if the system has ended the guest's grant", async () => {
    const { guest, credentials, system } = await prepare(setup, "carts");
    system.endAll(undefined);
    const { status, body } = await guest.call("login", credentials);
    expect(status).toBe(200);
    expect(body.merge).toEqual({ status: "merged", lines: [] });
    expect((await guest.call("addItemToBasket", { variantId: 8, quantity: 1 })).status).toBe(200);
    expect(system.basketOf(credentials.email)).toEqual({ 7: 2, 8: 1 });
  });

  test.each(["joins", "carts"] as const)(
    "succeeds if the system has ended the grant of a guest with an unfinished change: %s",
    async (kind) => {
      const { guest, credentials, system } = await prepare(setup, kind);
      failOnce(system, /PUT \/cart/, "refuse");
      const added = await guest.call("addItemToBasket", { variantId: 8, quantity: 1 });
      expect(added.body.code).toBe("commerce_unavailable");
      system.endAll(undefined);
      expect((await guest.call("login", credentials)).status).toBe(200);
      expect(system.basketOf(credentials.email)).toEqual({ 7: 2 });
      expect((await guest.call("getBasket")).body.basket.items).toHaveLength(1);
    },
  );

  test("begins a new grant if the system has ended the guest's", async () => {
    const { client, system } = await open(setup, "carts");
    const guest = client();
    await guest.call("addItemToBasket", { variantId: 7, quantity: 1 });
    system.endAll(undefined);
    const added = await guest.call("addItemToBasket", { variantId: 7, quantity: 1 });
    expect(added.body.basket.items).toMatchObject([{ quantity: 1 }]);
  });
});
