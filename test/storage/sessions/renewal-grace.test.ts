import { expect, test } from "vitest";
import { createTestClock } from "../../../server/testing/index.ts";
import { createTestAuth, testAccount as account } from "../../_client.ts";
import { describeStorages } from "../../_setup.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { testMethods } from "../../fixtures/methods.ts";

const clock = createTestClock();

async function whoIs(client: CookieClient): Promise<unknown> {
  return (await client.call("getUser")).body?.user?.id;
}

const day = { maxAge: 86_400 };

describeStorages("the grace period of a renewed ID", ({ start }) => {
  async function begin(renewAfter: number) {
    const reuses: unknown[] = [];
    const { client } = await start(
      {
        auth: createTestAuth(),
        methods: testMethods,
        session: { ...day, renewAfter },
        hooks: { "session.reuse_detected": (reuse) => void reuses.push(reuse) },
      },
      { clock },
    );
    const user = client();
    await user.call("enter", { id: 7 });
    return { user, reuses };
  }

  test.each([31, 3600, 70_000])(
    "lasts until the client receives a response, %d seconds later",
    async (seconds) => {
      const { user, reuses } = await begin(14_400);
      await clock.advance(14_400);
      // The page is left before this answer arrives.
      await user.clone().call("getUser");
      await clock.advance(seconds);
      expect((await user.call("note", { seconds })).status).toBe(204);
      expect(await whoIs(user)).toBe(7);
      expect((await user.call("notes")).body).toEqual({ seconds });
      expect(reuses).toEqual([]);
    },
  );

  test("ends 30 seconds after the new ID was first used", async () => {
    const { user, reuses } = await begin(14_400);
    const late = user.clone();
    await clock.advance(14_400);
    await user.call("getUser");
    await clock.advance(3600);
    expect(await whoIs(user)).toBe(7);
    await clock.advance(30);
    expect(await whoIs(late.clone())).toBe(7);
    await clock.advance(1);
    expect(await whoIs(late)).toBeUndefined();
    expect(reuses).toHaveLength(1);
    expect(await whoIs(user)).toBeUndefined();
  });

  test("doesn't begin with calls that use the old ID", async () => {
    const { user, reuses } = await begin(14_400);
    const page = user.clone();
    await clock.advance(14_400);
    for (let n = 0; n < 5; n++) {
      expect(await whoIs(page.clone())).toBe(7);
      await clock.advance(40);
    }
    expect(reuses).toEqual([]);
  });

  test("costs one write in total", async () => {
    const { user } = await begin(14_400);
    await clock.advance(14_400);
    await user.call("getUser");
    const { sessionId } = user;
    for (let n = 0; n < 3; n++) {
      expect((await user.call("getUser")).setCookies).toEqual([]);
      expect(user.sessionId).toBe(sessionId);
    }
  });

  test("resolves an ID that is several renewals old to the last one", async () => {
    const { user, reuses } = await begin(5);
    const old = user.clone();
    for (let n = 0; n < 4; n++) {
      await clock.advance(5);
      expect((await user.call("note", { n })).status).toBe(204);
    }
    expect(await whoIs(old)).toBe(7);
    expect(old.sessionId).toBe(user.sessionId);
    expect((await old.call("notes")).body).toEqual({ n: 3 });
    expect(reuses).toEqual([]);
  });

  test("resolves to one new ID, however many responses are lost", async () => {
    const { user, reuses } = await begin(3600);
    const ids = new Set<unknown>();
    for (let n = 0; n < 5; n++) {
      await clock.advance(3600);
      const lost = user.clone();
      await lost.call("getUser");
      ids.add(lost.sessionId);
    }
    expect(ids.size).toBe(1);
    expect(await whoIs(user)).toBe(7);
    expect([...ids]).toEqual([user.sessionId]);
    // The first use of the new ID, which is old by then, renews it.
    expect(await whoIs(user)).toBe(7);
    expect(ids.has(user.sessionId)).toBe(false);
    expect((await user.call("listSessions")).body.sessions).toMatchObject([{ current: true }]);
    expect(reuses).toEqual([]);
  });

  test("ends with a change of privilege: the old ID is invalid", async () => {
    const { user } = await begin(14_400);
    const old = user.clone();
    await clock.advance(14_400);
    await user.call("getUser");
    await user.call("reauthenticate", { password: account.password });
    expect((await old.call("getUser")).body.code).toBe("session_changed");
    expect(await whoIs(user)).toBe(7);
  });
});
