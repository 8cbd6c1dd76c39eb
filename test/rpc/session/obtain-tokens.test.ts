import { describe, expect, test } from "vitest";
import * as z from "zod";
import { RpcError } from "../../../rpc/error.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import type { SessionTokens } from "../../../rpc/session/token-renewals.ts";
import { Barrier } from "../../_faulty-driver.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { as } from "../../fixtures/trusting-auth.ts";
import { describeTwoServers } from "../../fixtures/two-servers.ts";
import { testMethods } from "../../fixtures/methods.ts";
import { createSetup } from "../../_setup.ts";

describeTwoServers("obtainTokens", ({ startTwo, stored }) => {
  test("renews expired tokens once for ten parallel calls on two servers", async () => {
    const provider = createProvider();
    const [first, second] = await startTwo({ methods: provider.methods });
    const user = first.client();
    await user.call("login", as(7));
    await user.call("keep", provider.issue(0));
    const other = moveTo(second, user);
    const calls = Array.from({ length: 10 }, (_, at) =>
      (at % 2 === 0 ? user.clone() : other.clone()).call("upstream"),
    );
    const tokens = provider.next;
    for (const { status, body } of await Promise.all(calls)) {
      expect({ status, body }).toEqual({ status: 200, body: tokens() });
    }
    expect(provider.renewals).toBe(1);
    expect(provider.refused).toBe(0);
  });

  test("renews tokens once that the system has rejected before their time", async () => {
    const provider = createProvider();
    const [first, second] = await startTwo({ methods: provider.methods });
    const user = first.client();
    await user.call("login", as(7));
    const rejected = provider.issue(60_000);
    await user.call("keep", rejected);
    const other = moveTo(second, user);
    const calls = [user, other, user, other].map((one) => one.clone().call("upstream", rejected));
    for (const { body } of await Promise.all(calls)) expect(body).toEqual(provider.next());
    expect(provider.renewals).toBe(1);
  });

  test("never loses renewed tokens to a slower call that set others", async () => {
    const provider = createProvider();
    const barrier = new Barrier();
    const slow = defineRpcMethod({
      async handler(_, { readTokens, updateTokens }) {
        await readTokens();
        await barrier.pass();
        updateTokens({ accessToken: "slow", expiresAt: Date.now() + 9_000_000 });
      },
    });
    const [first, second] = await startTwo({ methods: { ...provider.methods, slow } });
    const user = first.client();
    await user.call("login", as(7));
    await user.call("keep", provider.issue(0));
    const slower = user.clone().call("slow");
    await barrier.reached;
    await moveTo(second, user).call("upstream");
    barrier.open();
    expect((await slower).status).toBe(204);
    expect((await user.call("shown")).body).toEqual(provider.next());
  });

  test("keeps the login and the tokens if the renewal fails", async () => {
    const provider = createProvider();
    const [first] = await startTwo({ methods: provider.methods });
    const user = first.client();
    await user.call("login", as(7));
    const tokens = provider.issue(0);
    await user.call("keep", tokens);
    provider.isDown = true;
    expect((await user.call("upstream")).body.code).toBe("provider_down");
    expect((await user.call("shown")).body).toEqual(tokens);
    provider.isDown = false;
    expect((await user.call("upstream")).status).toBe(200);
  });

  test("ends the session if the system rejects the refresh token", async () => {
    const provider = createProvider();
    const [first, second] = await startTwo({ methods: provider.methods });
    const user = first.client();
    await user.call("login", as(7));
    await user.call("keep", { ...provider.issue(0), refreshToken: "used" });
    const other = moveTo(second, user);
    const calls = [user.clone(), other.clone(), user.clone()].map((one) => one.call("upstream"));
    for (const { status, body } of await Promise.all(calls)) {
      expect(status).toBe(409);
      expect(body.code).toMatch(/session_ended|session_changed/);
    }
    expect(provider.refused).toBe(1);
    expect((await user.call("getUser")).body).toEqual({});
    expect(JSON.stringify(await stored("user:"))).not.toContain('"createdAt"');
  });

  test("gets the first tokens of a guest once, and begins a session for them", async () => {
    const provider = createProvider();
    const [first] = await startTwo({ methods: provider.methods });
    const guest = first.client();
    expect((await guest.call("begin")).body).toEqual(provider.next());
    expect((await guest.call("shown")).body).toEqual(provider.next());
  });

  test("leaves a guest without tokens as they are", async () => {
    const provider = createProvider();
    const [first] = await startTwo({ methods: provider.methods });
    const newcomer = first.client();
    expect((await newcomer.call("upstream")).body.code).toBe("not_logged_in");
    expect(newcomer.sessionId).toBeUndefined();
    const guest = first.client();
    await guest.call("keep", { ...provider.issue(0), refreshToken: "used" });
    expect((await guest.call("upstream")).body.code).toBe("not_logged_in");
    expect((await guest.call("shown")).status).toBe(204);
  });
});

describe("obtainTokens of one server", () => {
  const { allowErrors, start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("costs nothing while the tokens are valid", async () => {
    const provider = createProvider();
    const { client } = await start({ methods: provider.methods });
    const guest = client();
    await guest.call("keep", provider.issue(60_000));
    await guest.call("upstream");
    expect(provider.renewals).toBe(0);
  });

  test("stores tokens whose call took too long", async () => {
    allowErrors();
    const provider = createProvider();
    provider.delay = 1500;
    const { client } = await start({ methods: provider.methods, callTimeout: 1 });
    const guest = client();
    await guest.call("keep", provider.issue(0));
    expect((await guest.call("upstream")).body.code).toBe("timeout");
    await expect.poll(async () => (await guest.call("shown")).body).toEqual(provider.next());
  });

  test("sees tokens that the same call has set", async () => {
    const provider = createProvider();
    const both = defineRpcMethod({
      handler(_, context) {
        context.updateTokens(provider.issue(0));
        return context.obtainTokens(provider.renew);
      },
    });
    const { client } = await start({ methods: { ...provider.methods, both } });
    const guest = client();
    expect((await guest.call("both")).body).toEqual(provider.next());
    expect((await guest.call("shown")).body).toEqual(provider.next());
  });
});

// --- Internal helpers ---

/** The same visitor at another server. */
function moveTo(server: { client(): CookieClient }, { cookies }: CookieClient): CookieClient {
  const client = server.client();
  for (const [name, value] of cookies) client.cookies.set(name, value);
  return client;
}

/** A provider that rotates refresh tokens, and rejects used ones. */
function createProvider() {
  let count = 0;
  let last: SessionTokens | undefined;
  const provider = {
    renewals: 0,
    refused: 0,
    isDown: false,
    /** Milliseconds. */
    delay: 5,
    issue(lasts: number): SessionTokens {
      count++;
      last = {
        accessToken: `access-${count}`,
        refreshToken: `refresh-${count}`,
        expiresAt: Date.now() + lasts,
      };
      return last;
    },
    next: () => last,
    async renew(tokens: SessionTokens | undefined): Promise<SessionTokens | undefined> {
      await new Promise((resolve) => setTimeout(resolve, provider.delay));
      if (provider.isDown) throw new RpcError("provider_down", { status: 424, title: "Down" });
      if (tokens === undefined) return undefined;
      if (tokens.refreshToken !== last?.refreshToken) {
        provider.refused++;
        return undefined;
      }
      provider.renewals++;
      return provider.issue(60_000);
    },
  };
  const tokens = z.custom<SessionTokens>();
  const methods = {
    ...testMethods,
    keep: defineRpcMethod({
      input: tokens,
      handler: (next, context) => context.updateTokens(next),
    }),
    shown: defineRpcMethod({ handler: (_, { readTokens }) => readTokens() }),
    upstream: defineRpcMethod({
      input: tokens.optional(),
      handler: (rejected, { obtainTokens }) => obtainTokens(provider.renew, { rejected }),
    }),
    begin: defineRpcMethod({
      handler: (_, { obtainTokens }) => obtainTokens(async (own) => own ?? provider.issue(60_000)),
    }),
  };
  return Object.assign(provider, { methods });
}
