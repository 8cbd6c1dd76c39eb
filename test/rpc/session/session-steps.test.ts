import { beforeEach, describe, expect, test } from "vitest";
import { createTestAuth, testAccount } from "../../_client.ts";
import type { StorageFaults, StorageOperation } from "../../../server/testing/storage-faults.ts";
import { createSetup, type ControlledStorefront } from "../../_setup.ts";
import type { Answer, CookieClient } from "../../_cookie-client.ts";
import { testMethods } from "../../fixtures/methods.ts";

const setup = createSetup("memory", "request", () => ({ driver: "memory" }));

beforeEach(() => setup.allowErrors());

/** A call that changes the user of a session, or its ID. */
interface Flow {
  /** The caller: a guest, the user 7, or the user 8, each with a basket and a note. */
  readonly by: "guest" | 7 | 8;
  /** Runs before the call whose writes fail. */
  readonly before?: (client: CookieClient, controls: ControlledStorefront) => Promise<unknown>;
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
    before: async (client, { storage }) => {
      storage.fail("write", { key: "basket" });
      await client.call("login", { email, password });
      storage.heal();
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
  "a renewal": {
    by: 7,
    before: (_, { clock }) => clock.advance(14_400),
    call: ["getUser"],
    after: 7,
  },
  "an extension": {
    by: 7,
    before: (_, { clock }) => clock.advance(9000),
    call: ["getUser"],
    after: 7,
  },
  "the first use of a renewed ID": {
    by: 7,
    before: async (client, { clock }) => {
      await clock.advance(14_400);
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

/** Makes one of a call's writes fail in a given way. */
const failures: Readonly<Record<string, (storage: StorageFaults, write: Write) => void>> = {
  fails: (storage, { kind, nth }) => storage.fail(kind, { nth }),
  "succeeds, but its reply is lost": (storage, { kind, nth }) => storage.loseAnswer(kind, { nth }),
  "fails, and so do all later ones": (storage, { earlier }) => {
    for (const kind of writeKinds) {
      for (let later = 1; later < 50; later++) {
        storage.fail(kind, { nth: earlier.filter((one) => one === kind).length + later });
      }
    }
  },
};

describe.each(Object.entries(flows))("%s", (_, flow) => {
  test.each(Object.entries(failures))(
    "leaves the visitor a session that works if any write %s",
    async (_failure, fail) => {
      const writes = await listWrites(flow);
      expect(writes.length).toBeGreaterThan(0);
      for (const write of writes) {
        const { storage, clock, client } = await arrange(flow);
        const { sessionId } = client;
        fail(storage, write);
        const answer = await client.call(...flow.call);
        storage.heal();
        const place = `write ${write.earlier.length + 1} of ${writes.length}, status ${answer.status}`;
        expect([200, 204, 503], place).toContain(answer.status);
        // If the ID changed before the error, the response has the new cookie.
        const isTold = answer.status !== 503 || flow.call[0] === "updateEmail";
        if (!isTold) expect(client.sessionId, place).toBe(sessionId);
        await expectWorking(flow, client, answer, place);
        await clock.advance(40);
        await expectWorking(flow, client, answer, `${place}, 40 seconds later`);
        if (answer.status === 503) await expectRepeatable(flow, client, place);
      }
    },
  );
});

async function arrange(flow: Flow) {
  const storefront = await setup.startControlled({
    auth: createTestAuth(),
    methods: testMethods,
    session: { maxSessionsPerUser: 3 },
  });
  const client = storefront.client();
  if (flow.by !== "guest") await client.call("enter", { id: flow.by });
  await client.call("note", { colour: "red" });
  await client.call("addItemToBasket", { variantId: 1, quantity: 1 });
  others.set(client, storefront.client());
  await flow.before?.(client, storefront);
  return { storage: storefront.storage, clock: storefront.clock, client };
}

/** A write of a call. */
interface Write {
  readonly kind: (typeof writeKinds)[number];
  /** Its number among the writes of its kind. */
  readonly nth: number;
  /** The kinds of the writes before it. */
  readonly earlier: readonly Write["kind"][];
}

const writeKinds = ["write", "take"] as const;

/** Finds the writes of a call that succeeds. */
async function listWrites(flow: Flow): Promise<readonly Write[]> {
  const { storage, client } = await arrange(flow);
  storage.operations.length = 0;
  const { status } = await client.call(...flow.call);
  expect([200, 204]).toContain(status);
  const kinds = storage.operations.map(({ kind }) => kind).filter(isOfWrite);
  return kinds.map((kind, index) => {
    const earlier = kinds.slice(0, index);
    return { kind, nth: earlier.filter((one) => one === kind).length + 1, earlier };
  });
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

function isOfWrite(kind: StorageOperation["kind"]): kind is Write["kind"] {
  return writeKinds.includes(kind as Write["kind"]);
}

test("removes the entry of a failed login from the user's list of sessions", async () => {
  const flow = flows["a login"] as Flow;
  for (const write of await listWrites(flow)) {
    const { storage, client } = await arrange(flow);
    failures["fails"]?.(storage, write);
    const { status } = await client.call(...flow.call);
    storage.heal();
    if (status === 503) await client.call(...flow.call);
    const { sessions } = (await client.call("listSessions")).body;
    expect(sessions, `write ${write.earlier.length + 1}`).toMatchObject([{ current: true }]);
  }
});

test.each(["a login", "logout"])(
  "confirms a logout on a storage without room for marks, after %s",
  async (name) => {
    const { storage, client } = await arrange(flows[name] as Flow);
    const replay = client.clone();
    storage.fail("write");
    expect((await client.call("logout")).status).toBe(204);
    storage.heal();
    expect(client.cookies.size).toBe(0);
    expect((await replay.call("notes")).body).toEqual({});
  },
);
