import { beforeEach, describe, expect, test } from "vitest";
import type { ChangeListener } from "../../../storage/documents/changes.ts";
import type { Snapshot } from "../../../storage/documents/documents.ts";
import { InMemorySessionCacheStrategy } from "../../../storage/sessions/session-cache-strategy.ts";
import { SessionCache } from "../../../storage/sessions/session-cache.ts";
import type { SessionRecord } from "../../../storage/sessions/session-record.ts";

const key = "3f1d0d5e-0000-4000-8000-000000000000";
const path = `session:1001:${key}`;
const nothingHappens = () => {};
const nothing: Snapshot<SessionRecord> = { value: undefined, version: "" };

describe("a cached session that a slow strategy returns", () => {
  const strategy = new InMemorySessionCacheStrategy();
  let isUp: boolean;
  let tell: ChangeListener;
  let stored: Snapshot<SessionRecord>;
  let cache: SessionCache;
  /** Runs while the strategy is asked for an entry. */
  let meanwhile: () => void;
  const read = async () => stored;

  beforeEach(async () => {
    isUp = true;
    meanwhile = nothingHappens;
    const value = { id: key, createdAt: 0, handle: "h", ownerKey: "o", customData: {} };
    stored = { value, version: "1", expiresAt: Date.now() + 60_000 };
    const feed = {
      isUp: () => isUp,
      listen: (listener: ChangeListener) => void (tell = listener),
      close: () => {},
    };
    const slow = {
      set: (session: Parameters<typeof strategy.set>[0]) => strategy.set(session),
      delete: (token: string) => strategy.delete(token),
      clear: () => strategy.clear(),
      async get(token: string) {
        const found = strategy.get(token);
        meanwhile();
        return found;
      },
    };
    cache = new SessionCache(1001, feed, { ttl: 300, max: 10, strategy: slow });
    await cache.read(key, read);
  });

  test("is returned if nothing changed in the meantime", async () => {
    const before = stored;
    stored = nothing;
    expect(await cache.read(key, read)).toEqual(before);
  });

  test("is not returned if the session ended in the meantime", async () => {
    stored = nothing;
    meanwhile = () => tell(path);
    expect(await cache.read(key, read)).toEqual(nothing);
  });

  test("is not returned if any session may have changed in the meantime", async () => {
    stored = nothing;
    meanwhile = () => tell(undefined);
    expect(await cache.read(key, read)).toEqual(nothing);
  });

  test("is not returned if the change feed broke off in the meantime", async () => {
    stored = nothing;
    meanwhile = () => {
      isUp = false;
    };
    expect(await cache.read(key, read)).toEqual(nothing);
  });
});
