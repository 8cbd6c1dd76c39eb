import { readsOverHttp } from "../storage/documents/driver.ts";
import { parseEnvelope } from "../storage/documents/envelope.ts";
import { createStorage, type Driver } from "unstorage";
import { expect, test, vi } from "vitest";
import { createTestClock } from "../server/testing/test-clock.ts";
import { absent, type Updater } from "../storage/documents/documents.ts";
import { toKeySegment } from "../storage/documents/key.ts";
import { type Counter, increment, isCounter, openCounters, setTo, slowDown } from "./_documents.ts";

/** An update function that succeeds for the first of many callers. */
const redeem: Updater<Counter> = (current) => {
  if (current === undefined) throw new Error("redeemed");
  return "remove";
};

/** Writes a string to the driver, as another program does. */
async function writeText(driver: Driver, key: string, text: string): Promise<void> {
  await createStorage({ driver }).setItemRaw(`counter:1:${key}`, text);
}

async function readText(driver: Driver, key: string): Promise<string> {
  const raw = await createStorage({ driver }).getItemRaw<string | Uint8Array>(`counter:1:${key}`);
  return Buffer.from(raw ?? "").toString();
}

/** Tests the contract of every driver. The caller restores the real clock after each test. */
export function testDocuments(createDriver: () => Promise<Driver>): void {
  test("stores a document and returns its value", async () => {
    const { counters } = openCounters(await createDriver());
    expect(await counters.get("a")).toMatchObject({ value: undefined });
    const written = await counters.update("a", setTo(1));
    expect(written.value).toEqual({ count: 1 });
    expect(await counters.get("a")).toEqual(written);
    expect(await counters.update("a", () => "keep")).toEqual(written);
    expect((await counters.update("a", () => "remove")).value).toBeUndefined();
    expect((await counters.get("a")).value).toBeUndefined();
    expect((await counters.update("a", () => "remove")).value).toBeUndefined();
  });

  test("keeps collections separate", async () => {
    const { store, counters } = openCounters(await createDriver());
    const others = store.collection("counter:2", isCounter);
    await counters.update("a", setTo(1));
    await others.update("a", setTo(2));
    expect([(await counters.get("a")).value, (await others.get("a")).value]).toEqual([
      { count: 1 },
      { count: 2 },
    ]);
  });

  test("returns values exactly as written", async () => {
    const { counters } = openCounters(await createDriver());
    const hostile = JSON.parse('{"__proto__":{"admin":true},"constructor":1}') as unknown;
    const notes = ["123", "null", "true", "", "\u0000\uD800ü🛒", hostile, [null, 1.5, -0.1], {}];
    for (const note of notes) {
      await counters.update("a", () => ({ set: { count: 1, note } }));
      const { value } = await counters.get("a");
      expect(JSON.stringify(value)).toBe(JSON.stringify({ count: 1, note }));
      expect(Object.getPrototypeOf(value?.note ?? {})).not.toHaveProperty("admin");
    }
  });

  test("returns the written document as a later read does", async () => {
    const { counters } = openCounters(await createDriver());
    const price = { toJSON: () => 1 };
    const note = { gone: undefined, date: new Date(0), price, list: [undefined] };
    const written = await counters.update("a", () => ({ set: { count: 1, note } }));
    expect(written).toEqual(await counters.get("a"));
  });

  test("rejects values that JSON can't represent", async () => {
    const { counters } = openCounters(await createDriver());
    await counters.update("a", setTo(1));
    const circular: Record<string, unknown> = { count: 1 };
    circular["self"] = circular;
    const unfit = [undefined, () => 1, Symbol("s"), { count: undefined }, { count: 1n }, circular];
    const parts = [new Map([[1, 1]]), new Set([1]), NaN, 1n, () => 1];
    unfit.push(...parts.map((part) => ({ count: 1, note: { part } })));
    for (const set of unfit) {
      const change = counters.update("a", () => ({ set: set as unknown as Counter }));
      await expect(change).rejects.toThrow(TypeError);
    }
    await expect(counters.update("a", setTo(2, Number.NaN))).rejects.toThrow(TypeError);
    await expect(counters.get("a/../b")).rejects.toThrow(TypeError);
    expect((await counters.get("a")).value).toEqual({ count: 1 });
  });

  test("keeps IDs separate that storages would merge, shorten, or reject", async () => {
    const { counters } = openCounters(await createDriver());
    const long = "x".repeat(10_000);
    const ids = [
      "../a",
      "..",
      ".",
      "a/b",
      "a\\b",
      "a:b",
      "a::b",
      "a?x",
      "a?y",
      "a",
      "a$",
      "$",
      "A",
    ];
    ids.push(
      "\u0000",
      "",
      " ",
      "%2e",
      "__proto__",
      "constructor",
      long,
      `${long}y`,
      "ä",
      "a\u0308",
    );
    ids.push("\uD800", "\uD801", "\uFFFD", "con", "x".repeat(64), "x".repeat(65), "аdmin", "admin");
    ids.push(toKeySegment("../a"));
    for (const [count, id] of ids.entries()) await counters.update(toKeySegment(id), setTo(count));
    for (const [count, id] of ids.entries()) {
      expect((await counters.get(toKeySegment(id))).value).toEqual({ count });
    }
  });

  test("keeps every parallel update", async () => {
    const { counters } = openCounters(await createDriver());
    await Promise.all(Array.from({ length: 50 }, () => counters.update("a", increment)));
    expect((await counters.get("a")).value).toEqual({ count: 50 });
  });

  test("keeps every parallel update of two stores on one driver object", async () => {
    const driver = slowDown(await createDriver());
    const [one, two] = [openCounters(driver), openCounters(driver)];
    const both = [one.counters, two.counters];
    const updates = both.map((counters) =>
      Array.from({ length: 25 }, () => counters.update("a", increment)),
    );
    await Promise.all(updates.flat());
    await one.store.close();
    expect((await two.counters.get("a")).value).toEqual({ count: 50 });
  });

  test("ignores an outdated snapshot", async () => {
    const { counters } = openCounters(await createDriver());
    const old = await counters.update("a", setTo(1));
    await counters.update("a", setTo(10));
    expect((await counters.update("a", increment, old)).value).toEqual({ count: 11 });
    expect((await counters.update("a", increment, absent)).value).toEqual({ count: 12 });
    expect((await counters.update("b", increment, absent)).value).toEqual({ count: 1 });
    expect((await counters.update("b", increment, old)).value).toEqual({ count: 2 });
  });

  test("distinguishes a recreated document from the one before it", async () => {
    const { counters } = openCounters(await createDriver());
    const first = await counters.update("a", setTo(1));
    await counters.take("a");
    const second = await counters.update("a", setTo(1));
    expect(second.version).not.toBe(first.version);
    const rule = vi.fn(increment);
    await counters.update("a", rule, first);
    expect(rule.mock.calls.map(([, { version }]) => version)).toEqual([
      first.version,
      second.version,
    ]);
  });

  test("doesn't restore a removed document", async () => {
    const { counters } = openCounters(await createDriver());
    const read = await counters.update("a", setTo(1));
    await counters.take("a");
    const after = await counters.update(
      "a",
      (current) => (current ? { set: current } : "keep"),
      read,
    );
    expect(after.value).toBeUndefined();
    expect((await counters.get("a")).value).toBeUndefined();
  });

  test("changes nothing if the update function throws", async () => {
    const { counters } = openCounters(await createDriver());
    const before = await counters.update("a", setTo(1));
    const refusal = new Error("no");
    const refuse = () => {
      throw refusal;
    };
    await expect(counters.update("a", refuse)).rejects.toBe(refusal);
    await expect(counters.update("a", refuse, before)).rejects.toBe(refusal);
    expect(await counters.get("a")).toEqual(before);
    expect((await counters.update("a", increment)).value).toEqual({ count: 2 });
  });

  test("gives a taken document to one of many callers", async () => {
    const { counters } = openCounters(slowDown(await createDriver()));
    await counters.update("a", setTo(1));
    const taken = await Promise.all(Array.from({ length: 20 }, () => counters.take("a")));
    expect(taken.filter((value) => value !== undefined)).toEqual([{ count: 1 }]);
    expect((await counters.get("a")).value).toBeUndefined();
  });

  test("lets one of many updates remove a document", async () => {
    const { counters } = openCounters(slowDown(await createDriver()));
    const read = await counters.update("a", setTo(1));
    const calls = Array.from({ length: 10 }, () => counters.update("a", redeem, read));
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("expires a document to the millisecond, even if the storage still has it", async () => {
    // Not a whole second: then the sweep would run at the same time.
    const clock = createTestClock(new Date("2026-01-01T00:00:00.500Z"));
    const driver = await createDriver();
    const { counters, lines } = openCounters(driver, clock);
    const expiresAt = clock.now() + 60_000;
    const written = await counters.update("a", setTo(1, expiresAt));
    await clock.advance(59.999);
    expect(await counters.get("a")).toEqual(written);
    await clock.advance(0.001);
    expect((await counters.get("a")).value).toBeUndefined();
    expect(await readText(driver, "a")).toContain("count");
    const rule = vi.fn(increment);
    expect((await counters.update("a", rule, written)).value).toEqual({ count: 1 });
    expect(rule.mock.calls[0]?.[0]).toBeUndefined();
    await counters.update("b", setTo(1, clock.now() + 1));
    await clock.advance(0.001);
    expect(await counters.take("b")).toBeUndefined();
    expect((await counters.update("c", setTo(1, clock.now()))).value).toBeUndefined();
    expect((await counters.get("c")).value).toBeUndefined();
    expect(lines).toEqual([]);
  });

  test("keeps a document without an expiration, even after one with an expiration", async () => {
    const clock = createTestClock();
    const { counters } = openCounters(await createDriver(), clock);
    await counters.update("a", setTo(1, clock.now() + 1000));
    await counters.update("a", setTo(2));
    await counters.update("b", setTo(2, Infinity));
    await clock.advance(10 * 365 * 86_400);
    expect((await counters.get("a")).value).toEqual({ count: 2 });
    expect((await counters.get("b")).value).toEqual({ count: 2 });
  });

  test("drops an invalid document with a warning, and accepts a new one", async () => {
    const driver = await createDriver();
    const { counters, lines } = openCounters(driver);
    await counters.update("whole", setTo(1));
    const whole = await readText(driver, "whole");
    const foreign = [
      whole.slice(0, -4),
      "",
      "null",
      "secret",
      '{"value":{"count":"secret"},"version":"1"}',
      '{"version":"1","expiresAt":"secret","value":{"count":1}}',
      '{"version":"1","value":"secret"}',
      '{"version":"1"}',
      '["secret"]',
    ];
    // Over HTTP, the read of any other text fails: see foreign-responses.test.ts.
    const isOverHttp = readsOverHttp(driver);
    const dropped = foreign.filter((text) => !isOverHttp || parseEnvelope(text) !== undefined);
    for (const [index, text] of dropped.entries()) {
      const key = `foreign-${index}`;
      lines.length = 0;
      await writeText(driver, key, text);
      expect((await counters.get(key)).value).toBeUndefined();
      expect(lines).toEqual([
        {
          level: "warn",
          message: expect.any(String),
          details: { collection: "counter:1", key },
        },
      ]);
      expect((await counters.update(key, increment)).value).toEqual({ count: 1 });
      expect((await counters.get(key)).value).toEqual({ count: 1 });
      await writeText(driver, key, text);
      expect(await counters.take(key)).toBeUndefined();
      expect(JSON.stringify(lines)).not.toContain("secret");
    }
  });

  test("responds to a ping, and can be closed twice", async () => {
    const { store } = openCounters(await createDriver());
    await store.ping();
    await store.close();
    await store.close();
  });
}
