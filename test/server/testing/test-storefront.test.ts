import { expectTypeOf } from "vitest";
import { afterEach, describe, expect, test } from "vitest";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { secret } from "../../../rpc/redaction/secret.ts";
import type { StorefrontConfig } from "../../../server/config/config.ts";
import {
  createTestClock,
  createTestStorefront,
  type TestClock,
} from "../../../server/testing/index.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import * as z from "zod";
import { testSecret } from "../../_setup.ts";

const ada = { email: "ada@example.com", password: "correct horse battery" };
const hour = 3600;

/** Signs a user in without a password's hash. */
const enter = defineRpcMethod({
  input: z.strictObject({ id: z.int() }),
  signsIn: true,
  async handler({ id }, { createUserBoundSession }) {
    await createUserBoundSession({ id });
    return { id };
  },
});

const methods = { enter };

type Own = Partial<Omit<StorefrontConfig<typeof methods>, "methods">>;

const toConfig = ({ session, ...own }: Own = {}): StorefrontConfig<typeof methods> => ({
  shops: [{ shopId: 1001, locale: "de-DE", currency: "EUR" }],
  methods,
  ...own,
  session: { secret: testSecret, ...session },
});

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

async function start(own: Own = {}, clock?: TestClock) {
  const storefront = await createTestStorefront(toConfig(own), clock && { clock });
  endings.push(storefront.close);
  return storefront;
}

describe("the clock of a test storefront", () => {
  test("expires a session after its idle timeout, without waiting", async () => {
    const { clock, visitor } = await start({ session: { idleTimeout: 1800 } });
    const user = visitor();
    await user.call("enter", { id: 7 });
    await clock.advance(1799);
    expect((await user.clone().call("getUser")).body.user?.id).toBe(7);
    await clock.advance(1801);
    expect((await user.call("getUser")).body).toEqual({});
  });

  test("renews a session's ID, and ends the grace period of the old one", async () => {
    const { clock, visitor } = await start({ session: { renewAfter: 4 * hour } });
    const user = visitor();
    await user.call("enter", { id: 7 });
    const [old] = user.cookies.values();
    const thief = user.clone();
    await clock.advance(4 * hour);
    await user.call("getUser");
    const [renewed] = user.cookies.values();
    expect(renewed).not.toBe(old);
    expect((await user.call("getUser")).body.user?.id).toBe(7);
    await clock.advance(29);
    expect((await thief.clone().call("getUser")).body.user?.id).toBe(7);
    await clock.advance(2);
    expect((await thief.call("getUser")).body).toEqual({});
    // Late use of the old ID can mean theft, so it ends the session.
    expect((await user.call("getUser")).body).toEqual({});
  });

  test("sweeps expired documents", async () => {
    const driver = openDriver({ driver: "memory" });
    const { clock, visitor } = await start({
      storage: { session: driver },
      session: { guestIdleTimeout: 60 },
    });
    const sessions = async () =>
      (await driver.getKeys("", {})).filter((key) => key.startsWith("session:1001:"));
    await visitor().call("addItemToBasket", { variantId: 7, quantity: 1 });
    expect(await sessions()).toHaveLength(1);
    await clock.advance(62);
    expect(await sessions()).toEqual([]);
  });

  test("ends a call that takes too long", async () => {
    const never = defineRpcMethod({ handler: () => new Promise<never>(() => {}) });
    const storefront = await createTestStorefront({
      ...toConfig({ callTimeout: 30 }),
      methods: { never },
    });
    endings.push(storefront.close);
    const calling = storefront.visitor().call("never");
    await storefront.clock.advance(33);
    expect((await calling).problem?.code).toBe("timeout");
  });

  test("fires timers in their order, and a repeating one once in a jump", async () => {
    const clock = createTestClock(new Date(0));
    const fired: [string, number][] = [];
    const fire = (name: string) => () => void fired.push([name, clock.now()]);
    clock.setInterval(fire("each second"), 1000);
    clock.setTimeout(fire("late"), 3500);
    clock.setTimeout(fire("early"), 10);
    clock.setTimeout(fire("canceled"), 20).cancel();
    const signal = clock.timeout(2000);
    await clock.advance(3.999);
    expect(fired).toEqual([
      ["early", 10],
      ["each second", 3000],
      ["late", 3500],
    ]);
    expect(signal.reason).toMatchObject({ name: "TimeoutError" });
    expect(clock.now()).toBe(3999);
    await clock.advance(1.001);
    expect(fired.slice(3)).toEqual([["each second", 5000]]);
  });
});

describe("two storefronts on one storage", () => {
  test("with clocks an hour apart: the one ahead ends sessions early, and revocations need no clock", async () => {
    const storage = { session: openDriver({ driver: "memory" }) };
    const session = { idleTimeout: 1800 };
    const now = new Date();
    const behind = await start({ storage, session }, createTestClock(now));
    const ahead = await start({ storage, session }, createTestClock(new Date(+now + hour * 1000)));
    const user = behind.visitor();
    await user.call("enter", { id: 7 });
    const elsewhere = ahead.visitor();
    for (const [name, value] of user.cookies) elsewhere.cookies.set(name, value);
    // Half an hour of idle time has passed on the clock that is ahead.
    expect((await elsewhere.call("getUser")).body).toEqual({});
    expect((await user.call("getUser")).body.user?.id).toBe(7);

    const later = ahead.visitor();
    await later.call("enter", { id: 7 });
    const { body } = await user.call("logoutEverywhere", { keepCurrent: true });
    expect(body.ended).toBe(1);
    expect((await later.call("getUser")).body).toEqual({});
    expect((await user.call("getUser")).body.user?.id).toBe(7);
  });
});

describe("the faults of a test storefront", () => {
  const line = { variantId: 7, quantity: 1 };

  test("fail at the n-th operation of a kind", async () => {
    const { storage, visitor } = await start();
    const guest = visitor();
    await guest.call("addItemToBasket", line);
    storage.operations.length = 0;
    await guest.call("addItemToBasket", line);
    const writes = storage.operations.filter(({ kind }) => kind === "write");
    expect(writes.map(({ key }) => key.split(":")[0])).toEqual(["basket"]);
    storage.fail("write", { nth: 2 });
    expect((await guest.call("addItemToBasket", line)).status).toBe(200);
    const failed = await guest.call("addItemToBasket", line);
    expect(failed).toMatchObject({ status: 503, problem: { code: "storage_unavailable" } });
    const after = await guest.call("addItemToBasket", line);
    expect(after.body.basket.items[0]?.quantity).toBe(4);
  });

  test("fail each operation of a kind and a key, until they heal", async () => {
    const { storage, visitor } = await start();
    const guest = visitor();
    storage.fail("any", { key: "basket:" });
    expect((await guest.call("getWishlist")).status).toBe(200);
    for (const _ of [1, 2]) {
      expect((await guest.call("addItemToBasket", line)).status).toBe(503);
    }
    storage.heal();
    expect((await guest.call("addItemToBasket", line)).status).toBe(200);
  });

  test("lose the response of a write that is stored", async () => {
    const { storage, visitor } = await start();
    const guest = visitor();
    await guest.call("addItemToBasket", line);
    storage.loseAnswer("write", { key: "basket:", nth: 1 });
    expect((await guest.call("addItemToBasket", line)).status).toBe(503);
    const { body } = await guest.call("getBasket");
    expect(body.basket.items[0]?.quantity).toBe(2);
  });

  test("delay an operation by the storefront's clock", async () => {
    const { storage, clock, visitor } = await start();
    const guest = visitor();
    await guest.call("addItemToBasket", line);
    storage.delay("read", 5, { key: "basket:", nth: 1 });
    let isDone = false;
    const reading = guest.call("getBasket").finally(() => (isDone = true));
    await clock.advance(4.9);
    expect(isDone).toBe(false);
    await clock.advance(0.1);
    expect((await reading).status).toBe(200);
  });
});

describe("the search for secrets", () => {
  const pay = defineRpcMethod({
    input: z.strictObject({ iban: secret(z.string()), accessToken: z.string() }),
    handler: (_, { log }) => void log.info("Paid"),
  });

  test("finds none in the lines of a storefront", async () => {
    const { lines, storage, visitor, expectNoSecretIn } = await start();
    const user = visitor();
    await user.call("login", ada);
    storage.fail("any");
    await user.call("addItemToBasket", { variantId: 7, quantity: 1 });
    await user.call("login", ada);
    expect(lines.length).toBeGreaterThan(0);
    expectNoSecretIn(lines);
  });

  test("finds cookies, session IDs, tokens, and passwords, and shows none of them", async () => {
    const storefront = await createTestStorefront({
      ...toConfig({ session: { tokenMethod: ["cookie", "bearer"] } }),
      methods: { enter, pay },
    });
    endings.push(storefront.close);
    const user = storefront.visitor();
    const { headers } = await user.call("enter", { id: 7 });
    await user.call("login", ada);
    await user.call("pay", { iban: "DE02120300000000202051", accessToken: "key-0123456789" });
    const [cookie = ""] = user.cookies.values();
    const value = decodeURIComponent(cookie);
    const found: Record<string, string> = {
      "the cookie": cookie,
      "a bearer token": headers.get("storefront-auth-token") ?? "",
      "the signature of the cookie": value.slice(-43),
      "the session ID in the cookie": value.slice(4, 40),
      "payload of login": ada.password,
      "payload of pay": "DE02120300000000202051",
      "in the payload of pay": "key-0123456789",
    };
    for (const [description, text] of Object.entries(found)) {
      const details = { error: new Error(`refused ${text}`) };
      for (const logs of [`a ${text} b`, [{ message: "Failed", details }], new Map([[1, text]])]) {
        const search = () => storefront.expectNoSecretIn(logs);
        expect(search).toThrow(description);
        expect(search).not.toThrow(text);
      }
    }
    storefront.expectNoSecretIn([{ message: "Nothing", details: { user: 7 } }]);
  });
});

test("gives a visitor the text of a body that isn't JSON, and cookies with any value", async () => {
  const own = defineRpcMethod({
    handler: () => new Response("100 %", { headers: { "set-cookie": "own=100%" } }),
  });
  const storefront = await createTestStorefront({ ...toConfig(), methods: { own } });
  endings.push(storefront.close);
  const user = storefront.visitor();
  expect((await user.request("/api/rpc/own", { method: "POST" })).body).toBe("100 %");
  expect(user.cookies.get("own")).toBe("100%");
});

test("types the calls by the methods of the config", async () => {
  const { visitor } = await start();
  const user = visitor();
  const { body, problem } = await user.call("enter", { id: 7 });
  expectTypeOf(body).toEqualTypeOf<{ id: number }>();
  expect(problem).toBeUndefined();
  // @ts-expect-error the ID is a number
  expect((await user.call("enter", { id: "7" })).problem?.code).toBe("invalid_input");
  // @ts-expect-error there is no such method
  expect((await user.call("entre")).problem?.code).toBe("unknown_method");
});

test("rejects a shop that the config doesn't have", async () => {
  const { visitor } = await start();
  expect(() => visitor({ shopId: 7 })).toThrow("The config has no shop 7");
});
