import { beforeEach, expect, test } from "vitest";
import { createTestClock, type TestClock } from "../../../server/testing/test-clock.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { createTestAuth, testAccount } from "../../_client.ts";
import { createFaultyDriver, Barrier } from "../../_faulty-driver.ts";
import { describeStorages } from "../../_setup.ts";
import { testMethods } from "../../fixtures/methods.ts";

let clock: TestClock;
beforeEach(() => void (clock = createTestClock()));

const { email, password } = testAccount;
const hour = 3600;

/** A call that runs while its session gets another ID, and the status of its response. */
const endings: Readonly<Record<string, number>> = { reads: 200, writes: 409, fails: 422 };

describeStorages("a slow call during a change of ID", ({ start }) => {
  async function begin() {
    const barrier = new Barrier();
    const methods = { ...testMethods, ...slowMethods(barrier) };
    const config = { auth: createTestAuth(), methods, session: { maxAge: 86_400 } };
    const { client } = await start(config, { clock });
    return { user: client(), barrier };
  }

  test.each(Object.entries(endings))(
    "issues no cookie of the previous session to a slow call with a renewed ID that %s",
    async (method, status) => {
      const { user, barrier } = await begin();
      await user.call("enter", { id: 7 });
      const old = user.clone();
      await clock.advance(4 * hour);
      await user.call("getUser");
      const slow = old.call(method);
      await barrier.reached;
      expect((await user.call("reauthenticate", { password })).status).toBe(204);
      barrier.open();
      const answer = await slow;
      expect([answer.status, answer.setCookies]).toEqual([status, []]);
    },
  );

  test("issues no cookie of an extended guest session after a parallel login", async () => {
    const { user, barrier } = await begin();
    await user.call("note", { a: 1 });
    await clock.advance(20 * hour);
    const slow = user.clone().call("extends");
    await barrier.reached;
    expect((await user.call("login", { email, password })).status).toBe(200);
    barrier.open();
    expect((await slow).setCookies).toEqual([]);
  });

  test("issues no cookie of an extended session while another call replaces its ID", async () => {
    const faulty = createFaultyDriver();
    const config = {
      auth: createTestAuth(),
      methods: testMethods,
      session: { maxAge: 86_400 },
      storage: { session: faulty.driver },
    };
    const { client } = await start(config, { clock });
    const user = client();
    await user.call("enter", { id: 7 });
    await clock.advance(4 * hour);
    const [renewal, replacement] = [new Barrier(), new Barrier()];
    let isRenewing = false;
    faulty.before = ({ kind, key }) => {
      if (kind !== "write" || !key.startsWith("session:")) return undefined;
      const isOld = key.endsWith(`${user.sessionId?.slice(-36)}`);
      if (isRenewing) return isOld ? replacement.pass() : undefined;
      isRenewing = !isOld;
      return isOld ? undefined : renewal.pass();
    };
    const extension = user.clone().call("getUser");
    await renewal.reached;
    const rotation = user.call("reauthenticate", { password });
    await replacement.reached;
    renewal.open();
    const { status, setCookies } = await extension;
    replacement.open();
    expect((await rotation).setCookies).toHaveLength(1);
    expect([status, setCookies]).toEqual([200, []]);
  });

  test("issues a cookie of an extended session if its ID is unchanged", async () => {
    const { user, barrier } = await begin();
    await user.call("enter", { id: 7 });
    const old = user.clone();
    await clock.advance(4 * hour);
    await user.call("getUser");
    const slow = old.call("reads");
    await barrier.reached;
    barrier.open();
    expect((await slow).setCookies).toHaveLength(1);
    expect(old.sessionId).toBe(user.sessionId);
  });
});

// --- Internal helpers ---

/** Methods that wait at a barrier before their last step. */
function slowMethods(barrier: Barrier) {
  const names = [...Object.keys(endings), "extends"];
  const define = (name: string) =>
    defineRpcMethod({
      readOnly: name === "reads",
      async handler(_, { callRpc }) {
        if (name === "extends") await callRpc("addItemToBasket", { variantId: 1, quantity: 1 });
        await barrier.pass();
        if (name === "writes") await callRpc("note", { a: 1 });
        if (name === "fails") await callRpc("refuse");
        return true;
      },
    });
  return Object.fromEntries(names.map((name) => [name, define(name)]));
}
