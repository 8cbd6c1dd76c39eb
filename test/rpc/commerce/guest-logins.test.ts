import { randomUUID } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { hookTests } from "../../../rpc/commerce/test-hooks.ts";
import type { LoginVisit } from "../../../rpc/commerce/visit.ts";
import { RpcError } from "../../../rpc/error.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import type { StorefrontConfig } from "../../../server/config/config.ts";
import { createTestBackend, type TestGrant } from "../../_commerce-backend.ts";
import { startCommerceSystem } from "../../_commerce-system.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { describeStorages, type Setup } from "../../_setup.ts";

const kinds = ["joins", "carts"] as const;
type Kind = (typeof kinds)[number];

const seven = { variantId: 7, quantity: 1 };
const eight = { variantId: 8, quantity: 1 };

/** Opens a shop with a registered customer, and with a guest whose basket has one of 7. */
async function prepare(
  { start }: Setup,
  kind: Kind,
  config: (
    backend: ReturnType<typeof createTestBackend>,
    issued: () => readonly string[],
  ) => Partial<StorefrontConfig> = (commerce) => ({ commerce }),
) {
  const system = await startCommerceSystem(kind);
  onTestFinished(() => system.close());
  const commerce = createTestBackend({ url: system.url, kind, timeout: 9 });
  const opened = await start(config(commerce, system.issued));
  const ada = { email: `${randomUUID()}@example.com`, password: "correct horse x" };
  const laptop = opened.client();
  expect((await laptop.call("register", ada)).status).toBe(200);
  const guest = opened.client();
  expect((await guest.call("addItemToBasket", seven)).status).toBe(200);
  return { ...opened, system, ada, laptop, guest };
}

type Prepared = Awaited<ReturnType<typeof prepare>>;

/** Lets an add of the guest begin, and not reach the system. */
async function leaveOpen({ guest, system }: Prepared, key: Record<string, string>): Promise<void> {
  system.fault = (request) => (request.startsWith("PUT /cart") ? "refuse" : undefined);
  const { body } = await guest.call("addItemToBasket", seven, key);
  expect(body.code).toBe("commerce_unavailable");
  system.fault = undefined;
}

async function quantitiesOf(client: CookieClient): Promise<Record<string, number>> {
  const { body } = await client.call("getBasket");
  const lines = body.basket.items as readonly { variantId: string; quantity: number }[];
  return Object.fromEntries(lines.map(({ variantId, quantity }) => [variantId, quantity]));
}

const nothing = () => Promise.resolve();

describeStorages("a guest of a commerce system", (setup) => {
  test("begins another basket if a login has joined the first one, but began no session", async () => {
    const { guest, laptop, ada, system } = await prepare(setup, "joins", (commerce) => ({
      commerce,
      session: { maxSessionsPerUser: 1, sessionLimitPolicy: "refuse" },
    }));
    expect((await guest.call("login", ada)).body.code).toBe("too_many_sessions");
    expect(system.basketOf(ada.email)).toEqual({ 7: 1 });
    const adds = [guest, guest.clone(), guest.clone()];
    const added = await Promise.all(adds.map((one) => one.call("addItemToBasket", eight)));
    expect(added.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await quantitiesOf(guest)).toEqual({ 8: 3 });
    await laptop.call("logout");
    expect((await guest.call("login", ada)).status).toBe(200);
    expect(await quantitiesOf(guest)).toEqual({ 7: 1, 8: 3 });
    expect(system.basketOf(ada.email)).toEqual({ 7: 1, 8: 3 });
  });

  test("logs in with the right password, or joins nothing, while guesses reach the limit", async () => {
    let guessed: readonly number[] | undefined;
    const { guest, ada, system, client } = await prepare(setup, "joins", (commerce) => ({
      commerce: {
        ...commerce,
        accounts: {
          ...commerce.accounts,
          async login(credentials, visit: LoginVisit<TestGrant>) {
            const user = await commerce.accounts.login(credentials, visit);
            if (user !== undefined) guessed ??= await guess();
            return user;
          },
        },
      },
      loginAttempts: { perAccount: 3, perAddress: 1000 },
    }));
    const guess = async () => {
      const wrong = { ...ada, password: "wrong horse x" };
      const statuses: number[] = [];
      for (let count = 0; count < 3; count++) {
        statuses.push((await client().call("login", wrong)).status);
      }
      return statuses;
    };
    expect((await guest.call("login", ada)).status).toBe(200);
    expect(guessed).toEqual([401, 401, 429]);
    expect(system.basketOf(ada.email)).toEqual({ 7: 1 });

    expect(await guess()).toEqual([401, 401, 401]);
    const late = client();
    await late.call("addItemToBasket", eight);
    expect((await late.call("login", ada)).status).toBe(429);
    expect(system.basketOf(ada.email)).toEqual({ 7: 1 });
    expect(await quantitiesOf(late)).toEqual({ 8: 1 });
  });

  test("keeps an add that comes after the system's login, and before that of the session", async () => {
    let between: () => Promise<void> = nothing;
    const { guest, ada, system } = await prepare(setup, "joins", (commerce) => ({
      commerce,
      methods: {
        loginSlowly: defineRpcMethod({
          signsIn: true,
          async handler(_, { auth, createUserBoundSession }) {
            const user = await auth.login(ada);
            await between();
            if (user === undefined) throw new RpcError("invalid_credentials");
            await createUserBoundSession(user);
          },
        }),
      },
    }));
    const twin = guest.clone();
    between = async () => {
      expect((await twin.call("addItemToBasket", eight)).status).toBe(200);
    };
    expect((await guest.call("loginSlowly")).status).toBe(204);
    expect(await quantitiesOf(guest)).toEqual({ 7: 1, 8: 1 });
    expect(system.basketOf(ada.email)).toEqual({ 7: 1, 8: 1 });
  });

  test("can't add with a call that continues after the login", async () => {
    let login: () => Promise<void> = nothing;
    const { guest, ada, system } = await prepare(setup, "joins", (commerce) => ({
      commerce,
      methods: {
        addLate: defineRpcMethod({
          async handler(_, { callRpc, readBasket }) {
            await readBasket();
            await login();
            await callRpc("addItemToBasket", eight);
          },
        }),
      },
    }));
    login = async () => {
      expect((await guest.call("login", ada)).status).toBe(200);
    };
    expect((await guest.clone().call("addLate")).body.code).toBe("session_changed");
    expect(system.basketOf(ada.email)).toEqual({ 7: 1 });
  });

  test.each(kinds)(
    "can log in at a system that rejects the login with an ended grant: %s",
    async (kind) => {
      const { guest, ada, system } = await prepare(setup, kind, (commerce, issued) => ({
        commerce: {
          ...commerce,
          accounts: {
            ...commerce.accounts,
            async login(credentials, visit: LoginVisit<TestGrant>) {
              const isEnded = visit.grant !== undefined && !issued().includes(visit.grant.token);
              if (isEnded) throw new RpcError("session_ended");
              return commerce.accounts.login(credentials, visit);
            },
          },
        },
      }));
      system.endAll(undefined);
      expect((await guest.call("login", ada)).status).toBe(200);
      expect((await guest.call("addItemToBasket", eight)).status).toBe(200);
      expect(system.basketOf(ada.email)).toEqual({ 8: 1 });
    },
  );

  test.each(kinds)(
    "moves an unfinished add if two logins run at the same time: %s",
    async (kind) => {
      const prepared = await prepare(setup, kind);
      const { guest, ada, system } = prepared;
      const key = { "idempotency-key": randomUUID() };
      await leaveOpen(prepared, key);
      const twin = guest.clone();
      const answers = await Promise.all([guest.call("login", ada), twin.call("login", ada)]);
      const [user] = [guest, twin].filter((_, at) => answers[at]?.status === 200);
      expect(await quantitiesOf(user as CookieClient)).toEqual({ 7: 2 });
      expect((await user?.call("addItemToBasket", seven, key))?.status).toBe(200);
      expect(system.basketOf(ada.email)).toEqual({ 7: 2 });
    },
  );

  test.each(kinds)(
    "takes an unfinished add along at the login after an outage, once: %s",
    async (kind) => {
      const prepared = await prepare(setup, kind);
      const { guest, ada, system } = prepared;
      const key = { "idempotency-key": randomUUID() };
      await leaveOpen(prepared, key);
      system.fault = () => "fail";
      expect((await guest.call("login", ada)).body.code).toBe("commerce_unavailable");
      system.fault = undefined;
      expect((await guest.call("login", ada)).status).toBe(200);
      expect(await quantitiesOf(guest)).toEqual({ 7: 2 });
      expect((await guest.call("addItemToBasket", seven, key)).status).toBe(200);
      expect(system.basketOf(ada.email)).toEqual({ 7: 2 });
    },
  );

  test.each(kinds)("begins an empty basket after a logout during an add: %s", async (kind) => {
    const { guest } = await prepare(setup, kind);
    const twin = guest.clone();
    logOutDuringChange(twin);
    expect((await guest.call("addItemToBasket", eight)).body.code).toBe("session_ended");
    expect(await quantitiesOf(guest)).toEqual({});
    expect((await guest.call("addItemToBasket", eight)).status).toBe(200);
    expect(await quantitiesOf(guest)).toEqual({ 8: 1 });
  });

  test.each(kinds)(
    "loses and doubles no add of a user who logs out during it: %s",
    async (kind) => {
      const { laptop, ada, system, client } = await prepare(setup, kind);
      await laptop.call("addItemToBasket", seven);
      const twin = laptop.clone();
      logOutDuringChange(twin);
      const key = { "idempotency-key": randomUUID() };
      expect((await laptop.call("addItemToBasket", seven, key)).body.code).toBe("session_ended");
      const phone = client();
      expect((await phone.call("login", ada)).status).toBe(200);
      expect((await phone.call("addItemToBasket", seven, key)).status).toBe(200);
      expect(system.basketOf(ada.email)).toEqual({ 7: 2 });
    },
  );
});

// --- Internal helpers ---

/** Lets a tab log out when the next change is written down, before it is sent. */
function logOutDuringChange(tab: CookieClient): void {
  let isOut = false;
  const unhook = hookTests({
    async onStep(step) {
      if (step !== "change: stored" || isOut) return;
      isOut = true;
      expect((await tab.call("logout")).status).toBe(204);
    },
  });
  onTestFinished(unhook);
}
