import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createTestAuth, testAccount } from "../../_client.ts";
import {
  createFaultyDriver,
  outage,
  type FaultyDriver,
  type Operation,
} from "../../_faulty-driver.ts";
import { createSetup } from "../../_setup.ts";
import type { Answer, Visitor } from "../../_visitor.ts";
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
  readonly before?: (visitor: Visitor, faulty: FaultyDriver) => Promise<unknown>;
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
    before: (visitor) => addElsewhere(visitor),
    call: ["login", { email, password }],
    after: 7,
  },
  "a merge that was put off": {
    by: "guest",
    before: async (visitor, faulty) => {
      faulty.before = ({ key, kind }) =>
        void (key.startsWith("basket") && kind === "write" && outage());
      await visitor.call("login", { email, password });
      faulty.heal();
    },
    call: ["getUser"],
    after: 7,
  },
  "a login that ends the oldest session": {
    by: "guest",
    before: async (visitor) => {
      for (let n = 0; n < 3; n++) await addElsewhere(visitor);
    },
    call: ["login", { email, password }],
    after: 7,
  },
  reauthenticate: { by: 7, call: ["reauthenticate", { password }], after: 7 },
  updatePassword: {
    by: 7,
    before: (visitor) => addElsewhere(visitor),
    call: ["updatePassword", { oldPassword: password, newPassword }],
    after: 7,
  },
  updateEmail: { by: 7, call: ["updateEmail", { email: "new@example.com" }], after: 7 },
  "a renewal": { by: 7, before: async () => pass(14_400), call: ["getUser"], after: 7 },
  "an extension": { by: 7, before: async () => pass(9000), call: ["getUser"], after: 7 },
  "the first use of a renewed ID": {
    by: 7,
    before: async (visitor) => {
      pass(14_400);
      await visitor.call("getUser");
    },
    call: ["getUser"],
    after: 7,
  },
  logout: { by: 7, call: ["logout"], after: "guest" },
  "logout of a guest": { by: "guest", call: ["logout"], after: "guest" },
  logoutEverywhere: { by: 7, call: ["logoutEverywhere"], after: "guest" },
  "logoutEverywhere else": {
    by: 7,
    before: (visitor) => addElsewhere(visitor),
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
        const { faulty, visitor } = await arrange(flow);
        const { sessionId } = visitor;
        fail(faulty, nth);
        const answer = await visitor.call(...flow.call);
        faulty.heal();
        const place = `write ${nth} of ${count}, status ${answer.status}`;
        expect([200, 204, 503], place).toContain(answer.status);
        // If the ID changed before the error, the response has the new cookie.
        const isTold = answer.status !== 503 || flow.call[0] === "updateEmail";
        if (!isTold) expect(visitor.sessionId, place).toBe(sessionId);
        await expectWorking(flow, visitor, answer, place);
        pass(40);
        await expectWorking(flow, visitor, answer, `${place}, 40 seconds later`);
        if (answer.status === 503) await expectRepeatable(flow, visitor, place);
      }
    },
  );
});

async function arrange(flow: Flow): Promise<{ faulty: FaultyDriver; visitor: Visitor }> {
  const faulty = createFaultyDriver();
  const { driver } = faulty;
  const storefront = await setup.start({
    auth: createTestAuth(),
    methods: testMethods,
    session: { maxSessionsPerUser: 3 },
    storage: { session: driver, basket: driver, account: driver },
  });
  const visitor = storefront.visitor();
  if (flow.by !== "guest") await visitor.call("enter", { id: flow.by });
  await visitor.call("note", { colour: "red" });
  await visitor.call("addItemToBasket", { variantId: 1, quantity: 1 });
  others.set(visitor, storefront.visitor());
  await flow.before?.(visitor, faulty);
  return { faulty, visitor };
}

async function countWrites(flow: Flow): Promise<number> {
  const { faulty, visitor } = await arrange(flow);
  faulty.operations.length = 0;
  const { status } = await visitor.call(...flow.call);
  expect([200, 204]).toContain(status);
  return faulty.operations.filter(isWrite).length;
}

/** Expects the old user after a failure, and the new user after a success. */
async function expectWorking(
  flow: Flow,
  visitor: Visitor,
  { status }: Answer,
  place: string,
): Promise<void> {
  const isDone = status !== 503;
  const { body, status: reading } = await visitor.call("getUser");
  expect(reading, place).toBe(200);
  const isOver = flow.after === "guest" && (isDone || body.user === undefined);
  // An end that failed midway can have ended the session. Then it stays ended.
  if (isOver && flow.by !== "guest") return expect(body, place).toEqual({});
  if (isOver) return;
  const expected = isDone ? flow.after : flow.by;
  expect(body.user?.id, place).toBe(expected === "guest" ? undefined : expected);
  expect((await visitor.call("note", { later: place })).status, place).toBe(204);
  const { basket } = (await visitor.call("getBasket")).body;
  // User 8 has another basket than user 7.
  expect(basket.itemCount > 0, place).toBe(flow.by !== 8 || !isDone);
}

async function expectRepeatable(flow: Flow, visitor: Visitor, place: string): Promise<void> {
  const { body } = await visitor.call("getUser");
  if (flow.by !== "guest" && body.user === undefined) return;
  const again = await visitor.call(...flow.call);
  expect([200, 204], `${place}, again`).toContain(again.status);
  const { user } = (await visitor.call("getUser")).body;
  expect(user?.id, `${place}, again`).toBe(flow.after === "guest" ? undefined : flow.after);
}

/** For each visitor of a test, another visitor of the same storefront. */
const others = new WeakMap<Visitor, Visitor>();

/** Logs in user 7 on another device, and adds a line to the basket. */
async function addElsewhere(visitor: Visitor): Promise<void> {
  const device = (others.get(visitor) as Visitor).clone();
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
    const { faulty, visitor } = await arrange(flow);
    failures["fails"]?.(faulty, nth);
    const { status } = await visitor.call(...flow.call);
    faulty.heal();
    if (status === 503) await visitor.call(...flow.call);
    const { sessions } = (await visitor.call("listSessions")).body;
    expect(sessions, `write ${nth}`).toMatchObject([{ current: true }]);
  }
});

test.each(["a login", "logout"])(
  "confirms a logout on a storage without room for marks, after %s",
  async (name) => {
    const { faulty, visitor } = await arrange(flows[name] as Flow);
    const replay = visitor.clone();
    faulty.before = ({ kind }) => void (kind === "write" && outage());
    expect((await visitor.call("logout")).status).toBe(204);
    faulty.heal();
    expect(visitor.cookies.size).toBe(0);
    expect((await replay.call("notes")).body).toEqual({});
  },
);
