import { setFlagsFromString } from "node:v8";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Driver } from "unstorage";
import { absent } from "../../../storage/documents/documents.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import {
  openSessionDocuments,
  type SessionDocument,
} from "../../../storage/sessions/session-document.ts";
import type { SessionRecord } from "../../../storage/sessions/session-record.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { readStored } from "../../fixtures/stored.ts";
import { createTestLog, type LogLine } from "../../../server/testing/test-log.ts";

const key = "0f0a3c52-5a71-4ba6-9d4c-0a1d3f6b8a11";
const usual: SessionRecord = {
  id: `7:${key}`,
  createdAt: 1,
  handle: "h",
  ownerKey: "h",
  user: { id: 7 },
  customData: {},
};

setFlagsFromString("--allow-natives-syntax");
const haveSameShape = new Function("a", "b", "return %HaveSameMap(a, b)") as (
  a: unknown,
  b: unknown,
) => boolean;

describe("a session's record", () => {
  let driver: Driver;
  let records: ReturnType<typeof openSessionDocuments>;
  let lines: LogLine[];
  beforeEach(() => {
    driver = openDriver({ driver: "memory" });
    const testLog = createTestLog();
    ({ lines } = testLog);
    const store = openDocumentStore(driver, { log: testLog.log });
    onTestFinished(() => store.close());
    records = openSessionDocuments(store, 1001);
  });

  const store = (record: object) => {
    const text = JSON.stringify({ version: "earlier", value: record });
    return driver.setItemRaw?.(`session:1001:${key}`, text, {});
  };
  const stored = async () => (await readStored(driver)).map(({ value }) => value);

  test("omits derived fields in the storage, and a read restores them", async () => {
    const created = await records.update(key, () => ({ set: usual }), absent);
    expect(created.value).toEqual(usual);
    expect(await stored()).toEqual([{ createdAt: 1, handle: "h", user: { id: 7 } }]);
    expect((await records.get(key)).value).toEqual(usual);
    expect(await records.take(key)).toEqual(usual);
    expect(await records.take(key)).toBeUndefined();
  });

  test("shares its hidden class with all records of its kind", async () => {
    const keys = Array.from({ length: 8 }, (_, index) =>
      key.replace("0f0a3c52", `0f0a3c5${index}`),
    );
    for (const customData of [{}, { note: 1 }]) {
      const found = await Promise.all(
        keys.map(async (path) => {
          const record = { ...usual, id: `7:${path}`, customData };
          await records.update(path, () => ({ set: record }), absent);
          return (await records.get(path)).value;
        }),
      );
      expect(found).toMatchObject(keys.map((path) => ({ id: `7:${path}`, customData })));
      // The first objects train V8's hidden classes.
      const [known, ...others] = found.slice(-3);
      expect(others.map((other) => haveSameShape(known, other))).toEqual([true, true]);
      await Promise.all(keys.map((path) => records.take(path)));
    }
  });

  test("uses the random part as its ID for a guest", async () => {
    const { user: _, ...guest } = { ...usual, id: key };
    await records.update(key, () => ({ set: guest }), absent);
    expect((await records.get(key)).value).toEqual(guest);
  });

  test("keeps values that can't be derived", async () => {
    const record = { ...usual, lastSeenAt: 2, ownerKey: "o", customData: { note: 1 } };
    await records.update(key, () => ({ set: record }), absent);
    expect((await records.get(key)).value).toEqual(record);
  });

  test("stays unchanged if it was stored with derived fields", async () => {
    const whole = { ...usual, lastSeenAt: 1, ownerKey: "o" };
    await store(whole);
    expect((await records.get(key)).value).toEqual(whole);
    const rename = (record: SessionDocument = usual) => ({
      set: { ...(record as SessionRecord), handle: "other" },
    });
    const { value } = await records.update(key, rename);
    expect(value).toEqual({ ...whole, handle: "other" });
    expect(lines).toEqual([]);
  });

  test.each([
    { ...usual, handle: 1 },
    { ...usual, ownerKey: 1 },
    { ...usual, customData: [] },
    "text",
    null,
    [usual],
  ])("doesn't survive a read if it is invalid: %j", async (spoilt) => {
    await store(spoilt as object);
    expect((await records.get(key)).value).toBeUndefined();
    expect(lines).toMatchObject([{ level: "warn" }]);
  });
});
