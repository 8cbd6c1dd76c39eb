import { inspect } from "node:util";
import { beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import type { RpcContext } from "../../../rpc/context.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import type { SessionTokens } from "../../../rpc/session/token-renewals.ts";
import { createFaultyDriver, Barrier } from "../../_faulty-driver.ts";
import { createSetup, describeStorages } from "../../_setup.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { as, trustingAuth } from "../../fixtures/trusting-auth.ts";
import { fiftyTimes } from "../../fixtures/two-servers.ts";
import { testMethods } from "../../fixtures/methods.ts";
import { readStored, sessionIdOf, type Stored } from "../../fixtures/stored.ts";

const [oldKey, newKey] = [
  "the-first-key-of-32-characters-or-more",
  "the-second-key-of-32-characters-too",
];
const tokens = { accessToken: "access-of-upstream", refreshToken: "refresh-of-upstream" };
const others = { accessToken: "access-of-another", expiresAt: 1_800_000_000_000 };

/** A method that runs a function of the test with its context. */
const run = (act: (context: RpcContext) => unknown) =>
  defineRpcMethod({ handler: (_, context) => act(context) });

const methods = {
  ...testMethods,
  keep: defineRpcMethod({
    input: z.custom<SessionTokens>(),
    handler: (kept, { updateTokens }) => updateTokens(kept),
  }),
  forget: run(({ updateTokens }) => updateTokens(undefined)),
  show: run(({ readTokens }) => readTokens()),
};
const base = { methods, auth: trustingAuth };
const ring = (...encryptionKeys: string[]) => ({ ...base, session: { encryptionKeys } });
const shown = async (client: CookieClient) => (await client.call("show")).body;

describeStorages("tokens", ({ start, startControlled, allowErrors }) => {
  test("persist for guests and users, and undefined removes them", async () => {
    const { client } = await start(base);
    const [guest, customer] = [client(), client()];
    await customer.call("login", as(7));
    for (const one of [guest, customer]) {
      expect(await shown(one)).toBeUndefined();
      expect((await one.call("keep", tokens)).status).toBe(204);
      expect(await shown(one)).toEqual(tokens);
      await one.call("keep", others);
      expect(await shown(one)).toEqual(others);
      expect(await shown(one.clone(1002))).toBeUndefined();
      await one.call("forget");
      expect(await shown(one)).toBeUndefined();
    }
  });

  test("show a change immediately, and are in no property that can be spread or printed", async () => {
    const look = run(async (context) => {
      const before = await context.readTokens();
      context.updateTokens(others);
      const after = await context.readTokens();
      const all = inspect({ ...context, context }, { depth: 10, showHidden: true, getters: true });
      context.updateTokens(undefined);
      return [before, after, await context.readTokens(), /access-of/.test(all)];
    });
    const { client } = await start({ ...base, methods: { ...methods, look } });
    const guest = client();
    await guest.call("keep", tokens);
    expect((await guest.call("look")).body).toEqual([tokens, others, null, false]);
    expect(await shown(guest)).toBeUndefined();
  });

  test("survive other changes, parallel changes, and a new ID", async () => {
    const { client, clock } = await startControlled(base);
    const customer = client();
    await customer.call("login", as(7));
    await customer.call("note", { begun: true });
    await Promise.all([
      customer.call("keep", tokens),
      fiftyTimes((index) => customer.call("note", { [`n${index}`]: index })),
    ]);
    expect(Object.keys((await customer.call("notes")).body)).toHaveLength(51);
    await customer.call("updateUser", { firstName: "Ada" });
    await customer.call("updatePassword", { oldPassword: "old", newPassword: "battery staple" });
    await customer.call("reauthenticate", { password: "battery staple" });
    const before = customer.sessionId;
    await clock.advance(15_000);
    await customer.call("getUser");
    expect(customer.sessionId).not.toBe(before);
    expect(await shown(customer)).toEqual(tokens);
  });

  test("never pass from one user to another, or from a guest to a user", async () => {
    const { client } = await start(base);
    const customer = client();
    await customer.call("keep", tokens);
    for (const id of [7, 8, 8]) {
      await customer.call("login", as(id));
      expect(await shown(customer)).toBeUndefined();
      await customer.call("keep", tokens);
    }
    await customer.call("logout");
    expect(await shown(customer)).toBeUndefined();
  });

  test("persist if the method sets them after the login", async () => {
    const acts: Record<string, (context: RpcContext) => unknown> = {
      async bindThenSet({ createUserBoundSession, updateTokens }) {
        await createUserBoundSession({ id: 8 });
        updateTokens(others);
      },
      updateThenSet({ updateUser, updateTokens }) {
        updateUser({ id: 8 });
        updateTokens(others);
      },
      async setThenBind({ createUserBoundSession, updateTokens }) {
        updateTokens(others);
        await createUserBoundSession({ id: 8 });
      },
      setThenUpdate({ updateUser, updateTokens }) {
        updateTokens(others);
        updateUser({ id: 8 });
      },
      async updateThenBind({ createUserBoundSession, updateUser, updateTokens }) {
        updateUser({ id: 9 });
        updateTokens(others);
        await createUserBoundSession({ id: 8 });
      },
      async setThenEnd({ destroySession, updateTokens }) {
        updateTokens(others);
        await destroySession();
      },
      async endThenSet({ destroySession, updateTokens }) {
        updateTokens(tokens);
        await destroySession();
        updateTokens(others);
      },
    };
    const own = Object.fromEntries(Object.entries(acts).map(([name, act]) => [name, run(act)]));
    const { client } = await start({ ...base, methods: { ...methods, ...own } });
    for (const id of [undefined, 7]) {
      for (const name of Object.keys(acts)) {
        const customer = client();
        if (id !== undefined) await customer.call("login", as(id));
        await customer.call("keep", tokens);
        expect((await customer.call(name)).status, name).toBe(204);
        const isAfter = name.endsWith("ThenSet");
        expect(await shown(customer), `${name} ${id}`).toEqual(isAfter ? others : undefined);
      }
    }
  });

  test("survive a change of the user's profile", async () => {
    const rename = run(({ updateUser, updateTokens }) => {
      updateTokens(others);
      updateUser({ id: "7", firstName: "Ada" });
    });
    const { client } = await start({ ...base, methods: { ...methods, rename } });
    const customer = client();
    await customer.call("login", as(7));
    await customer.call("rename");
    expect(await shown(customer)).toEqual(others);
  });

  test("fail above 16 KiB, and don't persist if the call throws", async () => {
    allowErrors();
    const fail = run(({ updateTokens }) => {
      updateTokens(others);
      throw new Error("upstream is down");
    });
    const { client } = await start({ ...base, methods: { ...methods, fail } });
    const guest = client();
    const most = { accessToken: "x".repeat(16_384 - '{"accessToken":""}'.length) };
    expect((await guest.call("keep", most)).status).toBe(204);
    const more = { accessToken: `ü${most.accessToken.slice(1)}` };
    expect(await guest.call("keep", more)).toMatchObject({
      status: 422,
      body: { code: "limit_reached" },
    });
    expect((await guest.call("fail")).status).toBe(500);
    expect(await shown(guest)).toEqual(most);
  });
});

describe("sealed tokens", () => {
  let storage = createFaultyDriver();
  beforeEach(() => {
    storage = createFaultyDriver();
  });
  const { start } = createSetup("memory", "request", () => storage.driver);
  const stored = () => readStored(storage.driver, "session:");
  const writes = () => storage.operations.splice(0).filter(({ kind }) => kind !== "read");
  const sealed = async () => (await stored())[0]?.value.tokens as string;

  /** Changes a record directly in the storage. */
  async function spoil(key: string, change: (record: object) => object): Promise<void> {
    const [found] = await readStored(storage.driver, key);
    const envelope = JSON.parse(found?.text as string);
    const text = JSON.stringify({ ...envelope, value: change(envelope.value) });
    await storage.driver.setItemRaw?.(key, text, {});
  }

  test("cost one write in a guest's first call, together with its other changes", async () => {
    const { client } = await start(base);
    await client().call("note", { begun: true });
    storage.operations.length = 0;
    await client().call("keep", tokens);
    expect(writes()).toHaveLength(1);
    await client().call("forget");
    expect(writes()).toEqual([]);
  });

  test.each(["another session", "another shop's session"])(
    "can't be decrypted in %s",
    async (where) => {
      const { client, lines } = await start(base);
      const [owner, thief] = [client(), client(where === "another session" ? 1001 : 1002)];
      await owner.call("keep", tokens);
      await thief.call("note", { begun: true });
      const records = await stored();
      const own = records.find((found) => sessionIdOf(found) === owner.sessionId);
      const target = records.find((found) => sessionIdOf(found) === thief.sessionId);
      const { tokens: text, handle } = (own as Stored).value;
      await spoil(target?.key as string, (record) => ({ ...record, tokens: text }));
      expect(await shown(thief)).toBeUndefined();
      if (where !== "another session") {
        await spoil(target?.key as string, (record) => ({ ...record, handle }));
        expect(await shown(thief)).toBeUndefined();
      }
      expect(await shown(owner)).toEqual(tokens);
      expect(lines[0]).toMatchObject({
        level: "warn",
        message: expect.stringContaining("can't be decrypted"),
      });
      expect(JSON.stringify(lines)).not.toContain(text);
    },
  );

  test("count as absent if they were altered, and each call logs one line", async () => {
    const showTwice = run(async ({ readTokens }) => [await readTokens(), await readTokens()]);
    const { client, lines } = await start({ ...base, methods: { ...methods, showTwice } });
    const guest = client();
    await guest.call("keep", tokens);
    const [{ key = "" } = {}] = await stored();
    await spoil(key, (record) => ({ ...record, tokens: "hunter2" }));
    expect((await guest.call("showTwice")).body).toEqual([null, null]);
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain("hunter2");
    await guest.call("keep", others);
    expect(await shown(guest)).toEqual(others);
    await spoil(key, (record) => ({ ...record, tokens: 7 }));
    expect(await shown(guest)).toBeUndefined();
    expect(lines.at(-1)?.message).toContain("dropped");
  });

  test("get the new key at a read, so that the old key can be removed", async () => {
    const before = await start(ring(oldKey));
    const guest = before.client();
    await guest.call("keep", tokens);
    const first = await sealed();
    const between = await start(ring(oldKey, newKey));
    const twin = between.client();
    for (const [name, value] of guest.cookies) twin.cookies.set(name, value);
    await twin.call("note", { colour: "red" });
    expect(await sealed()).toBe(first);
    expect(await shown(twin)).toEqual(tokens);
    const second = await sealed();
    expect(second).not.toBe(first);
    expect(await shown(twin)).toEqual(tokens);
    expect(await sealed()).toBe(second);
    const after = await start(ring(newKey));
    const last = after.client();
    for (const [name, value] of guest.cookies) last.cookies.set(name, value);
    expect(await shown(last)).toEqual(tokens);
    expect(await shown(guest)).toBeUndefined();
    // A server without the new key doesn't change them.
    expect(await sealed()).toBe(second);
  });

  test("don't overwrite the tokens of a parallel call at re-encryption", async () => {
    const guest = (await start(ring(oldKey))).client();
    await guest.call("keep", tokens);
    const barrier = new Barrier();
    const readSlowly = run(async ({ readTokens }) => {
      await readTokens();
      await barrier.pass();
    });
    const { client } = await start({
      ...ring(oldKey, newKey),
      methods: { ...methods, readSlowly },
    });
    const twin = client();
    for (const [name, value] of guest.cookies) twin.cookies.set(name, value);
    const reading = twin.call("readSlowly");
    await barrier.reached;
    await twin.call("keep", others);
    barrier.open();
    expect((await reading).status).toBe(204);
    expect(await shown(twin)).toEqual(others);
  });
});
