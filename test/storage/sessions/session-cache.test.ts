import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { systemClock } from "../../../storage/clock.ts";
import type { ChangeListener, Snapshot } from "../../../storage/documents/documents.ts";
import { SessionCache } from "../../../storage/sessions/session-cache.ts";
import type { SessionRecord } from "../../../storage/sessions/session-record.ts";
import { isMark, toFound } from "../../../storage/sessions/session.ts";
import { createSetup, testSessionSettings } from "../../_setup.ts";

const key = "3f1d0d5e-0000-4000-8000-000000000000";

const methods = {
  enter: defineRpcMethod({
    handler: (_, { createUserBoundSession }) => createUserBoundSession({ id: 7, firstName: "Ada" }),
  }),
  rename: defineRpcMethod({
    handler: (_, { user, updateUser }) => updateUser({ id: 7, ...user, firstName: "Eve" }),
  }),
  endAll: defineRpcMethod({
    handler: async (_, { destroySessionsForUserId }) => void (await destroySessionsForUserId(7)),
  }),
};

function toSnapshot(version: string, expiresAt = Date.now() + 60_000): Snapshot<SessionRecord> {
  const value = {
    id: key,
    createdAt: 0,
    lastSeenAt: 0,
    handle: "h",
    ownerKey: "o",
    customData: { version },
  };
  return { value, version, expiresAt };
}

describe("a session cache", () => {
  let isUp = true;
  let tell: ChangeListener;
  let reads = 0;
  let stored: Snapshot<SessionRecord>;
  const feed = {
    isUp: () => isUp,
    listen: (listener: ChangeListener) => void (tell = listener),
    close: () => {},
  };
  const read = async () => {
    reads++;
    return stored;
  };
  function create() {
    return new SessionCache(1001, feed, testSessionSettings, { ttl: 300, max: 10 }, systemClock);
  }
  /** Loads a session as a call does. @returns its snapshot */
  async function load(cache: SessionCache, readNow = read) {
    const readFound = async () => toFound(await readNow(), testSessionSettings);
    const found = cache.peek(key) ?? (await cache.fill(key, readFound));
    return found === undefined || isMark(found) ? undefined : found.snapshot;
  }

  beforeEach(() => {
    isUp = true;
    reads = 0;
    stored = toSnapshot("1");
  });

  test("reads the storage once", async () => {
    const cache = create();
    for (let call = 0; call < 3; call++) expect(await load(cache)).toEqual(stored);
    expect(reads).toBe(1);
  });

  test("reads changed sessions again, and all sessions if any may have changed", async () => {
    const cache = create();
    for (const path of [`session:1001:${key}`, undefined]) {
      await load(cache);
      stored = toSnapshot(randomUUID());
      tell(path);
      expect(await load(cache)).toEqual(stored);
    }
  });

  test("takes the new snapshot of a change if it is known", async () => {
    const cache = create();
    const path = `session:1001:${key}`;
    tell(path, toSnapshot("2"));
    await load(cache);
    const written = toSnapshot("3");
    tell(path, written);
    expect(await load(cache)).toEqual(written);
    const { id: _, ...asStored } = written.value as SessionRecord;
    tell(path, { ...written, value: asStored });
    expect(await load(cache)).toEqual(written);
    expect(reads).toBe(1);
    tell(path, { value: undefined, version: "4" });
    expect(await load(cache)).toEqual(stored);
  });

  test("reads all sessions again if a generation changes", async () => {
    const cache = create();
    await load(cache);
    tell("session-generations:current", { value: {}, version: "1" });
    stored = toSnapshot("2");
    expect(await load(cache)).toEqual(stored);
  });

  test("doesn't keep a session if a generation changed while it was read", async () => {
    const cache = create();
    await load(cache, async () => {
      tell("session-generations:current");
      return stored;
    });
    stored = toSnapshot("2");
    expect(await load(cache)).toEqual(stored);
  });

  test("finds a session by its whole ID only", async () => {
    const cache = create();
    await load(cache);
    expect(cache.peek(`7:${key}`)).toBeUndefined();
    expect(cache.peek(key)).toBeDefined();
  });

  test("ignores the changes of another shop", async () => {
    const cache = create();
    await load(cache);
    tell(`session:1002:${key}`);
    await load(cache);
    expect(reads).toBe(1);
  });

  test("doesn't keep a session that changed while it was read", async () => {
    const cache = create();
    await load(cache, async () => {
      const old = stored;
      stored = toSnapshot("2");
      tell(`session:1001:${key}`);
      return old;
    });
    expect(await load(cache)).toEqual(stored);
  });

  test("doesn't keep a read during which the change feed went down", async () => {
    const cache = create();
    await load(cache, async () => {
      isUp = false;
      return stored;
    });
    isUp = true;
    stored = toSnapshot("2");
    expect(await load(cache)).toEqual(stored);
  });

  test("reads the storage while the change feed is down", async () => {
    const cache = create();
    await load(cache);
    isUp = false;
    stored = toSnapshot("2");
    expect(await load(cache)).toEqual(stored);
  });

  test("keeps neither absent nor expired sessions", async () => {
    const cache = create();
    stored = { value: undefined, version: "" };
    await load(cache);
    await load(cache);
    stored = toSnapshot("1", Date.now() - 1);
    await load(cache);
    await load(cache);
    expect(reads).toBe(4);
  });

  test.each([
    ["no kept answers", 0, 10],
    ["answers of 8 KB", 8192, 3],
  ])("limits sessions with %s in proportion to their size", async (_, length, room) => {
    const cache = create();
    const answers = [{ id: "a", fingerprint: "b", at: 0, status: 200, body: "x".repeat(length) }];
    const ids = Array.from({ length: 12 }, () => randomUUID());
    for (const id of ids) {
      const snapshot = toSnapshot("1");
      const value = { ...snapshot.value, id, answers } as SessionRecord;
      await cache.fill(id, async () => toFound({ ...snapshot, value }, testSessionSettings));
    }
    expect(ids.filter((id) => cache.peek(id) !== undefined)).toEqual(ids.slice(-room));
  });
});

describe("a storefront with a cache in memory", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("sees its own changes immediately", async () => {
    const { client } = await start({ methods, session: { cache: {} } });
    const user = client();
    await user.call("enter");
    await user.call("getUser");
    await user.call("rename");
    expect((await user.call("getUser")).body.user.firstName).toBe("Eve");
    const twin = user.clone();
    await user.call("logout");
    expect((await twin.call("getUser")).body).toEqual({});
  });
});
