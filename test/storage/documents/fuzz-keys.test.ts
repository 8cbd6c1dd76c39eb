import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import type { RpcContext } from "../../../rpc/context.ts";
import { RpcError } from "../../../rpc/error.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import { keyPattern, toKeySegment } from "../../../storage/documents/key.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { testProperty, useStorefront } from "../../_fuzz.ts";
import { hostileText, mutation } from "../../_hostile.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";
import { CookieClient } from "../../_cookie-client.ts";

/** Ids that look alike, or that a storage may take for one another. */
const twins = fc.oneof(
  fc.tuple(hostileText, mutation).map(([id, change]) => [id, change(id)] as const),
  hostileText.map((id) => [id, id.normalize("NFC")] as const),
  hostileText.map((id) => [id.toLowerCase(), id.toUpperCase()] as const),
  fc.tuple(hostileText, hostileText).map(([a, b]) => [`${a}:${b}`, `${a}/${b}`] as const),
  fc.tuple(hostileText, hostileText).map(([a, b]) => [`${a}?${b}`, a] as const),
  fc.tuple(hostileText, hostileText),
  fc.nat().map((id) => [id, String(id)] as const),
  hostileText.map((id) => [id, toKeySegment(id)] as const),
  fc.tuple(fc.nat(0xd7ff), fc.nat(0x7ff)).map(([, half]) => {
    return [String.fromCharCode(0xd800 + half), String.fromCharCode(0xdfff - half)] as const;
  }),
);

describe("a segment of a key", () => {
  testProperty("differs for each ID in every driver", 2500, twins, ([a, b]) => {
    const [left, right] = [toKeySegment(a), toKeySegment(b)];
    expect(keyPattern.test(left) && keyPattern.test(`session:${right}`)).toBe(true);
    expect(left).toMatch(/^[a-z0-9=_-]{1,65}$/);
    expect(left === right).toBe(String(a) === String(b));
  });
});

describe("documents", () => {
  const ids = fc.uniqueArray(
    fc.oneof(
      hostileText,
      twins.map(([a]) => String(a)),
    ),
    { minLength: 1, maxLength: 5 },
  );
  const pairs = twins.map((pair) => [...new Set(pair.map(String))]);
  const space = fc.oneof(ids, pairs);

  describe("in memory", () => {
    const store = open({ driver: "memory" });
    testProperty("keep apart what has different ids", 500, space, store.keepApart);
  });

  describe("in files", () => {
    let directory: string;
    let store: OpenStore;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), "storefront-keys-"));
      store = open({ driver: "fs", base: join(directory, "base") });
    });
    afterAll(() => rm(directory, { recursive: true }));

    testProperty("keep apart what has different ids", 50, space, async (texts) => {
      await store.keepApart(texts);
    });

    test("write below their base only", async () => {
      await store.write(["../up", "..", "/etc/passwd", "C:\\x", "a/b", "\0", "x".repeat(10_000)]);
      expect(await readdir(directory)).toEqual(["base"]);
      const files = await readdir(join(directory, "base"), { recursive: true });
      expect(
        files.filter((file) => !/^thing(?:[/\\]1(?:[/\\]=[0-9a-f]{64})?)?$/.test(file)),
      ).toEqual([]);
      expect(files).toHaveLength(9);
    });
  });

  describeWithRedis("in Redis", () => {
    const redis = useRedis();
    let store: OpenStore;
    let control: Redis;
    beforeAll(() => {
      store = open({ driver: "redis", url: redis().url, base: "space" });
      control = new Redis(redis().url);
    });
    afterAll(() => control.disconnect());

    testProperty("keep apart what has different ids", 100, space, async (texts) => {
      await store.write(texts);
      const keys = await control.keys("*");
      expect(
        keys.filter((key) => !/^space:thing:1:(?:[a-z0-9_-]{1,64}|=[0-9a-f]{64})$/.test(key)),
      ).toEqual([]);
      expect(keys).toHaveLength(texts.length);
      await store.keepApart(texts);
      expect(await control.dbsize()).toBe(0);
    });
  });
});

describe("a user of any id", () => {
  const takeStorefront = useStorefront(
    { session: { tokenMethod: ["bearer", "cookie"] }, methods: createMethods() },
    () => Promise.resolve(undefined),
  );
  const ways = fc.constantFrom("updateUser", "createUserBoundSession");
  const id = fc.oneof(fc.integer(), fc.double());

  testProperty(
    "gets a rejection, or a unique account",
    100,
    fc.tuple(twins, id, ways),
    async ([pair, number, way]) => {
      const { send } = await takeStorefront();
      const [left, right] = pair.map(String) as [string, string];
      const clients = [left, right, number].map((userId) => ({
        userId,
        client: new CookieClient(send),
      }));
      const known: typeof clients = [];
      for (const { userId, client } of clients) {
        const { status, body } = await client.call("become", { userId, way });
        // 413 for ids that are longer than a body may be.
        const expected = isGood(userId) ? [200] : [413, 422];
        expect(expected, JSON.stringify(body)).toContain(status);
        expect(client.cookies.size).toBe(isGood(userId) ? 1 : 0);
        if (isGood(userId)) known.push({ userId, client });
      }
      const nameOf = (userId: string | number) =>
        `of ${known.findIndex((other) => String(other.userId) === String(userId))}`;
      for (const { userId, client } of known) {
        expect((await client.call("getUser")).body.user).toEqual({ id: userId });
        // A user of another input may have had the same id.
        await client.call("clearBasket");
      }
      for (const { userId, client } of known) {
        await client.call("addItemToBasket", { variantId: nameOf(userId), quantity: 1 });
      }
      for (const { userId, client } of known) {
        const { items } = (await client.call("getBasket")).body.basket;
        expect(items).toMatchObject([{ variantId: nameOf(userId) }]);
        const { sessions } = (await client.call("listSessions")).body;
        const same = known.filter((other) => String(other.userId) === String(userId));
        expect(sessions).toHaveLength(same.length);
      }
      // A logout of one user ends no other user's session.
      const [first, ...rest] = known;
      if (first === undefined) return;
      expect((await first.client.call("logoutEverywhere")).status).toBe(200);
      for (const { userId, client } of known) {
        const isOver = String(userId) === String(first.userId);
        expect((await client.call("getUser")).body.user).toEqual(
          isOver ? undefined : { id: userId },
        );
      }
      for (const { client } of rest) await client.call("logoutEverywhere");
    },
  );
});

// --- Internal helpers ---

interface OpenStore {
  /** Writes a document for each id. */
  write(ids: readonly string[]): Promise<void>;
  /** Writes documents, reads each again, and takes them away. */
  keepApart(ids: readonly string[]): Promise<void>;
}

function open(config: { driver: string; [option: string]: unknown }): OpenStore {
  const { log } = createTestLog();
  const store = openDocumentStore(openDriver(config), { log });
  afterAll(() => store.close());
  const things = store.collection("thing:1", isThing);

  async function write(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      // An ID that is not a valid key must be encoded first.
      if (!keyPattern.test(id)) await expect(things.get(id)).rejects.toThrow(TypeError);
      await things.update(toKeySegment(id), () => ({ set: { id } }));
    }
  }

  return {
    write,
    async keepApart(ids) {
      await write(ids);
      for (const id of ids) expect((await things.get(toKeySegment(id))).value).toEqual({ id });
      for (const id of ids) expect(await things.take(toKeySegment(id))).toEqual({ id });
    },
  };
}

function isThing(value: unknown): value is { readonly id: string } {
  return typeof value === "object";
}

function createMethods() {
  const input = z.strictObject({ userId: z.union([z.string(), z.number()]), way: z.string() });
  const become = defineRpcMethod({
    input,
    handler: async ({ userId, way }, context) => {
      try {
        await bind(context, userId, way);
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        throw new RpcError("invalid_input", { cause: error });
      }
      return "bound";
    },
  });
  return { become };
}

async function bind(context: RpcContext, id: string | number, way: string): Promise<void> {
  if (way === "updateUser") context.updateUser({ id });
  else await context.createUserBoundSession({ id });
}

function isGood(id: string | number): boolean {
  if (typeof id === "number") return Number.isSafeInteger(id) && id > 0;
  return id.length >= 1 && id.length <= 64 && Buffer.from(id).toString() === id;
}
