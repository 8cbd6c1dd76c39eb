import { inspect } from "node:util";
import { expect, test } from "vitest";
import type { PublicRpcContext, RpcContext } from "../../rpc/context.ts";
import { RpcError } from "../../rpc/error.ts";
import { hookNames, type Hooks } from "../../rpc/hooks.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { createSetup, describeStorages, testSecret } from "../_setup.ts";

/** A method that runs a function of a test with its context. */
const run = (act: (context: RpcContext) => unknown) =>
  defineRpcMethod({ handler: (_, context) => act(context) });

const enter = run(({ createUserBoundSession }) => createUserBoundSession({ id: "u1" }));
const become = run(({ updateUser }) => updateUser({ id: "u1" }));
const fail = run(() => {
  throw new RpcError("sold_out", { status: 409, title: "Sold out" });
});
const outer = run(({ callRpc }) => callRpc("inner"));
const inner = run(() => "inner");
const open = defineRpcMethod({ access: "public", handler: () => "open" });
const methods = { enter, become, fail, outer, inner, open };

/** Any event of any hook. */
interface HookEvent {
  readonly method?: string;
  readonly context: PublicRpcContext & Partial<RpcContext>;
  readonly duration?: number;
  readonly error?: unknown;
  readonly user?: unknown;
  readonly merge?: unknown;
}

/** Hooks that record each event, and then run a function of the test. */
function createHooks(act: (name: keyof Hooks, event: HookEvent) => unknown = () => undefined) {
  const events: { readonly name: string; readonly event: HookEvent }[] = [];
  const entries = hookNames.map((name) => [
    name,
    async (event: HookEvent) => {
      events.push({ name: name.replace("storefront:", ""), event });
      await act(name, event);
    },
  ]);
  const names = () =>
    events.splice(0).map(({ name, event }) => [name, event.method].filter(Boolean).join(" "));
  return { hooks: Object.fromEntries(entries) as Hooks, events, names };
}

const { allowErrors, start } = createSetup("memory", "request", () => ({ driver: "memory" }));

describeStorages("hooks", (setup) => {
  test("run in the order of a call", async () => {
    const { hooks, names } = createHooks();
    const { client } = await setup.start({ methods, hooks });
    const user = client();
    await user.call("getUser");
    expect(names()).toEqual(["context:created getUser", "rpc:before getUser", "rpc:after getUser"]);
    await user.call("enter");
    expect(names()).toEqual([
      "context:created enter",
      "rpc:before enter",
      "afterLogin",
      "rpc:after enter",
    ]);
    await user.call("logout");
    expect(names()).toEqual([
      "context:created logout",
      "rpc:before logout",
      "afterLogout",
      "rpc:after logout",
    ]);
    await user.call("fail");
    expect(names()).toEqual(["context:created fail", "rpc:before fail", "rpc:error fail"]);
  });
});

test("run for methods that callRpc calls, between the hooks of the caller", async () => {
  const { hooks, names } = createHooks();
  const { client } = await start({ methods, hooks });
  await client().call("outer");
  expect(names()).toEqual([
    "context:created outer",
    "rpc:before outer",
    "context:created inner",
    "rpc:before inner",
    "rpc:after inner",
    "rpc:after outer",
  ]);
});

test("skip rpc:before for a call that is rejected before its method runs", async () => {
  const { hooks, names } = createHooks();
  const { client } = await start({ methods, hooks });
  const guest = client();
  await guest.call("addItemToBasket", { variantId: 7, quantity: 0 });
  await guest.call("listSessions");
  expect(names()).toEqual([
    "context:created addItemToBasket",
    "rpc:error addItemToBasket",
    "context:created listSessions",
    "rpc:error listSessions",
  ]);
  await guest.call("nope");
  await guest.call("__proto__");
  expect(names()).toEqual([]);
});

test("receive the method, the context, and their own fields", async () => {
  const { hooks, events } = createHooks();
  const { client } = await start({ methods, hooks });
  const user = client();
  await user.call("addItemToBasket", { variantId: 7, quantity: 1 });
  await user.call("enter");
  await user.call("logout");
  await user.call("fail");
  const of = (name: string) => events.findLast((event) => event.name === name)?.event;
  expect(of("rpc:after")?.duration).toBeGreaterThanOrEqual(0);
  expect(of("rpc:after")?.duration).toBeLessThan(10);
  expect(of("rpc:error")?.error).toMatchObject({ code: "sold_out", status: 409 });
  expect(of("afterLogin")).toMatchObject({
    context: { user: { id: "u1" }, sessionId: expect.stringMatching(/^u1:/) },
    user: { id: "u1" },
    merge: { status: "merged", lines: [{ variantId: 7, outcome: "added" }] },
  });
  expect(of("afterLogout")).toMatchObject({ user: { id: "u1" } });
  expect(of("afterLogout")?.context.user).toBeUndefined();
  expect(of("context:created")?.context.shop).toMatchObject({ shopId: 1001 });
});

test("run afterLogin for a guest whom updateUser logs in", async () => {
  const { hooks, names, events } = createHooks();
  const { client } = await start({ methods, hooks });
  const guest = client();
  await guest.call("become");
  expect(events.find(({ name }) => name === "afterLogin")?.event.user).toEqual({ id: "u1" });
  events.length = 0;
  await guest.call("become");
  expect(names()).not.toContain("afterLogin");
});

test("skip afterLogout at the end of a guest's session", async () => {
  const { hooks, names } = createHooks();
  const { client } = await start({ methods, hooks });
  const guest = client();
  await guest.call("addItemToBasket", { variantId: 7, quantity: 1 });
  await guest.call("logout");
  await guest.call("logout");
  expect(names()).not.toContain("afterLogout");
});

test.each(["storefront:context:created", "storefront:rpc:before"] as const)(
  "%s rejects a call by throwing, and its error is the response",
  async (hook) => {
    let calls = 0;
    const count = run(() => ++calls);
    const { hooks, names } = createHooks((name, { method }) => {
      if (name === hook && (method === "count" || method === "open")) {
        throw new RpcError("closed", { status: 451, title: "Closed", detail: "Come back later" });
      }
    });
    const { client } = await start({ methods: { ...methods, count }, hooks });
    const guest = client();
    const refused = { status: 451, body: { code: "closed", detail: "Come back later" } };
    expect(await guest.call("count")).toMatchObject(refused);
    expect(await guest.call("open")).toMatchObject(refused);
    expect(calls).toBe(0);
    expect(names().filter((name) => name.startsWith("rpc:error"))).toHaveLength(2);
    expect((await guest.call("getUser")).status).toBe(200);
  },
);

test("fail the call with 500 without details after an unexpected error", async () => {
  allowErrors();
  const { hooks } = createHooks((name) => {
    if (name === "storefront:rpc:before") throw new Error("secret detail");
  });
  const { client } = await start({ methods, hooks });
  const answer = await client().call("getUser");
  expect(answer).toMatchObject({ status: 500, body: { code: "internal_error" } });
  expect(JSON.stringify(answer.body)).not.toContain("secret detail");
});

test("log the error of a hook that comes too late to reject the call", async () => {
  allowErrors();
  const late = ["rpc:after", "rpc:error", "afterLogin", "afterLogout"];
  const { hooks } = createHooks((name) => {
    if (late.includes(name.replace("storefront:", ""))) throw new Error(`thrown by ${name}`);
  });
  const { client, lines } = await start({ methods, hooks });
  const user = client();
  expect((await user.call("enter")).status).toBe(200);
  expect((await user.call("getUser")).body).toEqual({ user: { id: "u1" } });
  expect(await user.call("fail")).toMatchObject({ status: 409, body: { code: "sold_out" } });
  expect((await user.call("logout")).status).toBe(204);
  expect((await user.call("getUser")).body).toEqual({});
  const messages = new Set(
    lines.filter(({ level }) => level === "error").map(({ message }) => message),
  );
  expect([...messages].toSorted()).toEqual(
    late.map((name) => `The hook storefront:${name} failed`).toSorted(),
  );
});

test("delay the call until they are done", async () => {
  const done: string[] = [];
  const { hooks } = createHooks(async (name) => {
    await new Promise((resolve) => setImmediate(resolve));
    done.push(name);
  });
  const { client } = await start({ methods, hooks });
  await client().call("enter");
  expect(done).toHaveLength(4);
});

test("can change the session, like a method", async () => {
  const { hooks } = createHooks((name, { context }) => {
    if (name === "storefront:rpc:before") context.updateCustomData?.({ seen: true } as object);
  });
  const look = run(({ customData }) => customData);
  const { client } = await start({ methods: { ...methods, look }, hooks });
  expect((await client().call("look")).body).toEqual({ seen: true });
});

test("receive no password, and no context with a secret", async () => {
  const { hooks, events } = createHooks();
  const { client } = await start({ methods, hooks });
  const user = client();
  const password = "the-password-itself";
  const headers = { authorization: "Bearer the-token" };
  const account = { email: "a@example.com", password };
  await user.call("register", account, headers);
  await user.call("login", account, headers);
  await user.call("login", { ...account, password: `${password}!` }, headers);
  await user.call("open", undefined, headers);
  const signature = decodeURIComponent(user.cookieHeader).slice(-43);
  expect(events.length).toBeGreaterThan(12);
  for (const { name, event } of events) {
    const text = inspect(event, { depth: 10 });
    const secrets = [testSecret, signature, encodeURIComponent(signature), "the-token", password];
    const found = secrets.filter((secret) => text.includes(secret));
    expect({ name, found }).toEqual({ name, found: [] });
    expect(JSON.stringify({ ...event.context })).not.toContain(signature);
  }
});
