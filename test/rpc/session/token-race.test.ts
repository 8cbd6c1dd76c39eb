import { expect, test } from "vitest";
import * as z from "zod";
import type { RpcContext } from "../../../rpc/context.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import type { SessionTokens } from "../../../rpc/session/token-renewals.ts";
import { Barrier } from "../../_faulty-driver.ts";
import { describeStorages, type Setup } from "../../_setup.ts";

const message =
  "A call's change of the session's tokens was dropped, because a parallel call stored newer ones";

function keep({ updateTokens }: RpcContext, tokens: SessionTokens | null): void {
  updateTokens(tokens ?? undefined);
}

/** A guest with tokens, and calls that read them, wait at their own barrier, and then change them. */
async function begin(start: Setup["start"], first: Partial<SessionTokens> = {}) {
  const barriers = { slow: new Barrier(), fast: new Barrier() };
  const tokens = z.custom<SessionTokens>().nullable();
  const { lines, client } = await start({
    methods: {
      keep: defineRpcMethod({ input: tokens, handler: (next, context) => keep(context, next) }),
      refresh: defineRpcMethod({
        input: z.strictObject({ barrier: z.enum(["slow", "fast"]), next: tokens }),
        async handler({ barrier, next }, context) {
          await context.readTokens();
          await barriers[barrier].pass();
          keep(context, next);
        },
      }),
      shown: defineRpcMethod({ handler: (_, { readTokens }) => readTokens() }),
    },
  });
  const guest = client();
  await guest.call("keep", { accessToken: "first", ...first });
  /** Both calls read the first tokens; the fast one ends before the slow one. */
  async function race(fast: SessionTokens | null, slow: SessionTokens | null) {
    const calls = {
      fast: guest.clone().call("refresh", { barrier: "fast", next: fast }),
      slow: guest.clone().call("refresh", { barrier: "slow", next: slow }),
    };
    await Promise.all([barriers.fast.reached, barriers.slow.reached]);
    barriers.fast.open();
    expect((await calls.fast).status).toBe(204);
    barriers.slow.open();
    expect((await calls.slow).status).toBe(204);
    return (await guest.call("shown")).body?.accessToken;
  }
  const losses = () => lines.filter((line) => line.message === message).length;
  return { guest, race, losses };
}

describeStorages("two parallel calls that update the tokens of a session", ({ start }) => {
  test("keep the tokens with the later expiry if their call ends first", async () => {
    const { race, losses } = await begin(start, { expiresAt: 1000 });
    const [newer, older] = [
      { accessToken: "newer", expiresAt: 3000 },
      { accessToken: "older", expiresAt: 2000 },
    ];
    expect(await race(newer, older)).toBe("newer");
    expect(losses()).toBe(1);
  });

  test("keep the tokens with the later expiry if their call ends last", async () => {
    const { race, losses } = await begin(start, { expiresAt: 1000 });
    const [newer, older] = [
      { accessToken: "newer", expiresAt: 3000 },
      { accessToken: "older", expiresAt: 2000 },
    ];
    expect(await race(older, newer)).toBe("newer");
    expect(losses()).toBe(0);
  });

  test("keep the tokens of the first call if there is no expiry", async () => {
    const { race, losses } = await begin(start);
    expect(await race({ accessToken: "won" }, { accessToken: "lost" })).toBe("won");
    expect(losses()).toBe(1);
  });

  test("keep the new tokens if the slower call removes the tokens", async () => {
    const { race, losses } = await begin(start);
    expect(await race({ accessToken: "won" }, null)).toBe("won");
    expect(losses()).toBe(1);
  });

  test("don't affect a later call, which replaces the tokens with any expiry", async () => {
    const { guest, losses } = await begin(start, { expiresAt: 3000 });
    await guest.call("keep", { accessToken: "second", expiresAt: 2000 });
    expect((await guest.call("shown")).body).toMatchObject({ accessToken: "second" });
    await guest.call("keep", null);
    expect((await guest.call("shown")).body).toBeUndefined();
    expect(losses()).toBe(0);
  });

  test("keep the tokens of a login by `updateUser` apart from the guest's tokens", async () => {
    const { client, lines } = await start({
      methods: {
        keep: defineRpcMethod({
          handler: (_, context) => context.updateTokens({ accessToken: "guest" }),
        }),
        become: defineRpcMethod({
          async handler(_, context) {
            await context.readTokens();
            context.updateUser({ id: 7 });
            context.updateTokens({ accessToken: "user" });
          },
        }),
        shown: defineRpcMethod({ handler: (_, { readTokens }) => readTokens() }),
      },
    });
    const guest = client();
    await guest.call("keep");
    await guest.call("become");
    expect((await guest.call("shown")).body).toEqual({ accessToken: "user" });
    expect(lines.filter((line) => line.message === message)).toEqual([]);
  });
});
