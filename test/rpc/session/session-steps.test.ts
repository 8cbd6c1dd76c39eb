import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createTestAuth, testAccount } from "../../_client.ts";
import {
  createFaultyDriver,
  outage,
  type FaultyDriver,
  type Operation,
} from "../../_faulty-driver.ts";
import { createSetup } from "../../_setup.ts";
import type { Answer, CookieClient } from "../../_cookie-client.ts";
import { testMethods } from "../../fixtures/methods.ts";

const setup = createSetup("memory", "request", () => ({ driver: "memory" }));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  setup.allowErrors();
});
afterEach(() => void vi.useRealTimers());

function pass(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1000);
}

/** A call that changes the user of a session, or its ID. */
interface Flow {
  /** The caller: a guest, the user 7, or the user 8, each with a basket and a note. */
  readonly by: "guest" | 7 | 8;
  /** Runs before the call whose writes fail. */
  readonly before?: (client: CookieClient, faulty: FaultyDriver) => Promise<unknown>;
  readonly call: readonly [method: string, payload?: unknown];
  /** The user of the visitor afterwards, if the call succeeds. */
  readonly after: "guest" | 7;
}

const { email, password } = testAccount;
const newPassword = "battery staple";

const flows: Readonly<Record<string, Flow>> = {
  "a login": { by: "guest", call: ["login", { email, password }], after: 7 },
  "a login as the same user": { by: 7, call: ["login", { email, password }], after: 7 },
  "a login as another user": { by: 8, call: ["login", { email, password }], after: 7 },
  "a registration": { by: "guest", call: ["register", { email, password: newPassword }], after: 7 },
  "a merge into the user's basket": {
    by: "guest",
    before: (client) => addElsewhere(client),
    call: ["login", { email, password }],
    after: 7,
  },
  "a merge that was put off": {
    by: "guest",
    before: async (client, faulty) => {
      faulty.before = ({ key, kind }) =>
        void (key.startsWith("basket") && kind === "write" && outage());
      await client.call("login", { email, password });
      faulty.heal();
    },
    call: ["getUser"],
    after: 7,
  },
  "a login that ends the oldest session": {
    by: "guest",
    before: async (client) => {
      for (let n = 0; n < 3; n++) await addElsewhere(client);
    },
    call: ["login", { email, password }],
    after: 7,
  },
  reauthenticate: { by: 7, call: ["reauthenticate", { password }], after: 7 },
  updatePassword: {
    by: 7,
    before: (client) => addElsewhere(client),
    call: ["updatePassword", { oldPassword: password, newPassword }],
    after: 7,
  },
  updateEmail: { by: 7, call: ["updateEmail", { email: "new@example.com" }], after: 7 },
  "a renewal": { by: 7, before: async () => pass(14_400), call: ["getUser"], after: 7 },
  "an extension": { by: 7, before: async () => pass(9000), call: ["getUser"], after: 7 },
  "the first use of a renewed ID": {
    by: 7,
    before: async (client) => {
      pass(14_400);
      await client.call("getUser");
    },
    call: ["getUser"],
    after: 7,
  },
  logout: { by: 7, call: ["logout"], after: "guest" },
  "logout of a guest": { by: "guest", call: ["logout"], after: "guest" },
  logoutEverywhere: { by: 7, call: ["logoutEverywhere"], after: "guest" },
  "logoutEverywhere else": {
    by: 7,
    before: (client) => addElsewhere(client),
    call: ["logoutEverywhere", { keepCurrent: true }],
    after: 7,
  },
};

/** Makes the n-th of the next writes fail in a given way. */
const failures: Readonly<Record<string, (faulty: FaultyDriver, nth: number) => void>> = {
  fails: (faulty, nth) => {
    faulty.before = (operation) => void (isWrite(operation) && --nth === 0 && outage());
  },
  "succeeds, but its reply is lost": (faulty, nth) => {
    faulty.after = (operation) => void (isWrite(operation) && --nth === 0 && outage());
  },
  "fails, and so do all later ones": (faulty, nth) => {
    faulty.before = (operation) => void (isWrite(operation) && --nth <= 0 && outage());
  },
};

describe.each(Object.entries(flows))("%s", (_, flow) => {
  test.each(Object.entries(failures))(
    "leaves the visitor a session that works if any write %s",
    async (_failure, fail) => {
      const count = await countWrites(flow);
      expect(count).toBeGreaterThan(0);
      for (let nth = 1; nth <= count; nth++) {
        const { faulty, client } = await arrange(flow);
        const { sessionId } = client;
        fail(faulty, nth);
        const answer = await client.call(...flow.call);
        faulty.heal();
        const place = `write ${nth} of ${count}, status ${answer.status}`;
        expect([200, 204, 503], place).toContain(answer.status);
        // If the ID changed before the error, the response has the new cookie.
        const isTold = answer.status !== 503 || flow.call[0] === "updateEmail";
        if (!isTold) expect(client.sessionId, place).toBe(sessionId);
        await expectWorking(flow, client, answer, place);
        pass(40);
        await expectWorking(flow, client, answer, `${place}, 40 seconds later`);
        if (answer.status === 503) await expectRepeatable(flow, client, place);
      }
    },
  );
});

async function arrange(flow: Flow): Promise<{ faulty: FaultyDriver; client: CookieClient }> {
  const faulty = createFaultyDriver();
  const { driver } = faulty;
  const storefront = await setup.start({
    auth: createTestAuth(),
    methods: testMethods,
    session: { maxSessionsPerUser: 3 },
    storage: { session: driver, basket: driver, account: driver },
  });
  const client = storefront.client();
  if (flow.by !== "guest") await client.call("enter", { id: flow.by });
  await client.call("note", { colour: "red" });
  await client.call("addItemToBasket", { variantId: 1, quantity: 1 });
  others.set(client, storefront.client());
  await flow.before?.(client, faulty);
  return { faulty, client };
}

async function countWrites(flow: Flow): Promise<number> {
  const { faulty, client } = await arrange(flow);
  faulty.operations.length = 0;
  const { status } = await client.call(...flow.call);
  expect([200, 204]).toContain(status);
  return faulty.operations.filter(isWrite).length;
}

/** Expects the old user after a failure, and the new user after a success. */
async function expectWorking(
  flow: Flow,
  client: CookieClient,
  { status }: Answer,
  place: string,
): Promise<void> {
  const isDone = status !== 503;
  const { body, status: reading } = await client.call("getUser");
  expect(reading, place).toBe(200);
  const isOver = flow.after === "guest" && (isDone || body.user === undefined);
  // An end that failed midway can have ended the session. Then it stays ended.
  if (isOver && flow.by !== "guest") return expect(body, place).toEqual({});
  if (isOver) return;
  const expected = isDone ? flow.after : flow.by;
  expect(body.user?.id, place).toBe(expected === "guest" ? undefined : expected);
  expect((await client.call("note", { later: place })).status, place).toBe(204);
  const { basket } = (await client.call("getBasket")).body;
  // User 8 has another basket than user 7.
  expect(basket.itemCount > 0, place).toBe(flow.by !== 8 || !isDone);
}

async function expectRepeatable(flow: Flow, client: CookieClient, place: string): Promise<void> {
  const { body } = await client.call("getUser");
  if (flow.by !== "guest" && body.user === undefined) return;
  const again = await client.call(...flow.call);
  expect([200, 204], `${place}, again`).toContain(again.status);
  const { user } = (await client.call("getUser")).body;
  expect(user?.id, `${place}, again`).toBe(flow.after === "guest" ? undefined : flow.after);
}

/** For each visitor of a test, another visitor of the same storefront. */
const others = new WeakMap<CookieClient, CookieClient>();

/** Logs in user 7 on another device, and adds a line to the basket. */
async function addElsewhere(client: CookieClient): Promise<void> {
  const device = (others.get(client) as CookieClient).clone();
  device.cookies.clear();
  await device.call("enter", { id: 7 });
  await device.call("addItemToBasket", { variantId: 2, quantity: 1 });
}

function isWrite({ kind }: Operation): boolean {
  return kind !== "read";
}

test("removes the entry of a failed login from the user's list of sessions", async () => {
  const flow = flows["a login"] as Flow;
  const count = await countWrites(flow);
  for (let nth = 1; nth <= count; nth++) {
    const { faulty, client } = await arrange(flow);
    failures["fails"]?.(faulty, nth);
    const { status } = await client.call(...flow.call);
    faulty.heal();
    if (status === 503) await client.call(...flow.call);
    const { sessions } = (await client.call("listSessions")).body;
    expect(sessions, `write ${nth}`).toMatchObject([{ current: true }]);
  }
});

test.each(["a login", "logout"])(
  "confirms a logout on a storage without room for marks, after %s",
  async (name) => {
    const { faulty, client } = await arrange(flows[name] as Flow);
    const replay = client.clone();
    faulty.before = ({ kind }) => void (kind === "write" && outage());
    expect((await client.call("logout")).status).toBe(204);
    faulty.heal();
    expect(client.cookies.size).toBe(0);
    expect((await replay.call("notes")).body).toEqual({});
  },
);
