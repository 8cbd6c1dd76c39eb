import { afterEach, describe, expect, test, vi } from "vitest";
import { RpcError } from "../../../rpc/error.ts";
import { openCache, ticks } from "./_caches.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** Fifty reads in one tick. */
function fifty<T>(read: (index: number) => Promise<T>): Promise<PromiseSettledResult<T>[]> {
  return Promise.allSettled(Array.from({ length: 50 }, (_, index) => read(index)));
}

describe("reads at the same time", () => {
  test("share one failure", async () => {
    const { cached } = openCache();
    const load = vi.fn(() => Promise.reject(new RpcError("limit_reached")));
    const results = await fifty(() => cached("a", 60, load));
    expect(load).toHaveBeenCalledTimes(1);
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["rejected"]));
  });

  test.each(["AbortError", "TimeoutError"])(
    "don't fail if the caller that began the load left with it (%s)",
    async (name) => {
      const { cached } = openCache();
      const leaving = new AbortController();
      const load = vi.fn(async (index: number) => {
        await ticks(2);
        // A mistake: the load listens to its own caller.
        if (index === 0) leaving.signal.throwIfAborted();
        return index;
      });
      const reads = fifty((index) => cached("a", 60, () => load(index)));
      leaving.abort(new DOMException("The client disconnected", name));
      const [first, ...others] = await reads;
      expect(first).toMatchObject({ status: "rejected", reason: { name } });
      expect(new Set(others.map((other) => JSON.stringify(other)))).toEqual(
        new Set([JSON.stringify({ status: "fulfilled", value: 1 })]),
      );
      expect(load).toHaveBeenCalledTimes(2);
    },
  );

  test("share undefined without caching it", async () => {
    const { cached } = openCache();
    const load = vi.fn(() => undefined);
    await fifty(() => cached("a", 60, load));
    expect(load).toHaveBeenCalledTimes(1);
    expect(await cached("a", 60, load)).toBeUndefined();
    expect(load).toHaveBeenCalledTimes(2);
  });
});

describe("a load", () => {
  test("gets an aborted signal and fails with 504 when its time is up, also if it ignores the signal", async () => {
    const { cached } = openCache(undefined, { timeLimit: 0.05 });
    let signal: AbortSignal | undefined;
    const reading = cached("a", 60, (source) => {
      signal = source.signal;
      return new Promise<number>(() => {});
    });
    await expect(reading).rejects.toMatchObject({ code: "timeout", status: 504 });
    expect(signal?.reason).toMatchObject({ name: "TimeoutError" });
    expect(await cached("a", 60, () => 1)).toBe(1);
  });

  test("ends with the server, and no load begins afterwards", async () => {
    const { cached, close } = openCache();
    let signal: AbortSignal | undefined;
    const reading = cached("a", 60, (source) => {
      signal = source.signal;
      return new Promise<number>(() => {});
    });
    await ticks(1);
    await close();
    await expect(reading).rejects.toMatchObject({ code: "draining" });
    expect(signal?.aborted).toBe(true);
    await expect(cached("a", 60, () => 1)).rejects.toMatchObject({ code: "draining" });
  });

  test("can't add tags after its end", async () => {
    const { cached } = openCache();
    let add: ((tag: string) => void) | undefined;
    await cached("a", 60, ({ tag }) => {
      add = tag;
      return 1;
    });
    expect(() => add?.("late")).toThrow("after the end");
  });
});

describe("invalidate", () => {
  test("removes the values of a tag, and no others", async () => {
    const { cached, invalidate } = openCache();
    let version = 1;
    const read = (key: string) =>
      cached(key, 60, ({ tag }) => {
        tag(key, "all");
        return version;
      });
    const readUntagged = () => cached("untagged", 60, () => version);
    await Promise.all([read("a"), read("b"), readUntagged()]);
    version = 2;
    await invalidate(["b"]);
    expect(await Promise.all([read("a"), read("b"), readUntagged()])).toEqual([1, 2, 1]);
    version = 3;
    await invalidate(["all", "unused"]);
    expect(await Promise.all([read("a"), read("b"), readUntagged()])).toEqual([3, 3, 1]);
  });

  test("forgets no invalidation if there are thousands", async () => {
    const { cached, invalidate } = openCache();
    let version = 1;
    const read = () =>
      cached("a", 60, ({ tag }) => {
        tag("a");
        return version;
      });
    await read();
    version = 2;
    await invalidate(["a"]);
    for (let index = 0; index < 2000; index++) await invalidate([`other-${index}`]);
    expect(await read()).toBe(2);
    version = 3;
    await invalidate(Array.from({ length: 2000 }, (_, index) => `tag-${index}`));
    // Too many at a time for the document: every tag is invalidated.
    expect(await read()).toBe(3);
  });

  test("during a load keeps the older value from reads that begin later", async () => {
    const { cached, invalidate } = openCache();
    let version = 1;
    const load = vi.fn(async () => {
      const read = version;
      await ticks(3);
      return read;
    });
    const read = () =>
      cached("a", 60, async (source) => {
        const value = await load();
        source.tag("a");
        return value;
      });
    const early = read();
    await ticks(1);
    version = 2;
    await invalidate(["a"]);
    const late = await fifty(read);
    expect(await early).toBe(1);
    expect(new Set(late.map((each) => (each as { value?: unknown }).value))).toEqual(new Set([2]));
    expect(await read()).toBe(2);
    expect(load).toHaveBeenCalledTimes(2);
  });

  test("keeps the value of a load in progress if the tag is another one", async () => {
    const { cached, invalidate } = openCache();
    const load = vi.fn(() => ticks(3).then(() => 1));
    const early = cached("a", 60, load);
    await invalidate(["b"]);
    expect(await cached("a", 60, load)).toBe(1);
    await early;
    expect(load).toHaveBeenCalledTimes(1);
  });

  test("keeps a stale value from returning while a refresh of it runs", async () => {
    const { cached, invalidate } = openCache();
    let version = 1;
    const read = () =>
      cached("a", 60, async ({ tag }) => {
        tag("a");
        const found = version;
        await ticks(3);
        return found;
      });
    await read();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
    expect(await read()).toBe(1);
    version = 2;
    await invalidate(["a"]);
    expect(await read()).toBe(2);
    await ticks(10);
    expect(await read()).toBe(2);
  });

  test("rejects tags that aren't an array of strings", async () => {
    const { invalidate } = openCache();
    for (const tags of ["a", undefined, [1], [""], ["x".repeat(129)]]) {
      await expect(invalidate(tags as never)).rejects.toThrow(TypeError);
    }
  });
});
