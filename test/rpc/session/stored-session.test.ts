import createMemoryDriver from "unstorage/drivers/memory";
import type { Driver } from "unstorage";
import { beforeEach, describe, expect, test } from "vitest";
import { createSetup } from "../../_setup.ts";
import { as, trustingAuth } from "../../fixtures/trusting-auth.ts";
import { testMethods } from "../../fixtures/methods.ts";
import { readStored, sessionIdOf } from "../../fixtures/stored.ts";
import { isMarkText, whoIs } from "../../_sessions.ts";

const base = { methods: testMethods, auth: trustingAuth };

describe("a session in the storage", () => {
  let driver: Driver;
  beforeEach(() => {
    driver = createMemoryDriver();
  });
  const { start, startControlled, allowErrors } = createSetup("memory", "request", () => driver);
  const stored = () => readStored(driver, "session:");
  const records = async () => (await stored()).filter(({ text }) => !isMarkText(text));
  const ids = async () => (await records()).map(sessionIdOf);

  test("stores nothing before the first change", async () => {
    const { client, storage } = await startControlled(base);
    const guest = client();
    const reads = ["getUser", "getBasket", "getWishlist", "clearBasket", "notes", "logout"];
    for (const method of [...reads, "refuse"]) await guest.call(method);
    expect(await readStored(driver)).toEqual([]);
    expect(storage.operations.filter(({ kind }) => kind !== "read")).toEqual([]);
  });

  test("leaves no data under an old ID", async () => {
    const { client } = await start(base);
    const customer = client();
    await customer.call("note", { begun: true });
    expect(await ids()).toEqual([customer.sessionId]);
    for (const userId of [7, 7, 8]) {
      await customer.call("login", as(userId));
      expect(await ids()).toEqual([customer.sessionId]);
    }
    await customer.call("updatePassword", { oldPassword: "old", newPassword: "battery staple" });
    expect(await ids()).toEqual([customer.sessionId]);
    await customer.call("logout");
    expect(await ids()).toEqual([]);
  });

  const garbage: [what: string, break_: (text: string) => string][] = [
    ["nothing", () => ""],
    ["no JSON", () => "hunter2"],
    ["another thing", () => '["hunter2"]'],
    ["a half of it", (text) => text.slice(0, text.length / 2)],
    ["no record", (text) => change(text, () => ({ note: "hunter2" }))],
    ["a record without data", (text) => change(text, (value) => ({ ...value, customData: null }))],
    ["a record of no user", (text) => change(text, (value) => ({ ...value, user: { id: 0 } }))],
    ["a record by another mark", (text) => text.replace('"version"', '"v"')],
  ];

  test.each(garbage)(
    "doesn't exist if the storage has %s, and the server logs it",
    async (_, spoil) => {
      const { client, lines } = await start(base);
      const customer = client();
      await customer.call("enter", { id: 7 });
      await customer.call("note", { colour: "hunter2" });
      const [{ key = "", text = "" } = {}] = await stored();
      await driver.setItemRaw?.(key, spoil(text), {});
      const old = customer.sessionId;
      expect((await customer.call("getUser")).body).toEqual({});
      expect(lines).toMatchObject([{ level: "warn", message: expect.stringContaining("dropped") }]);
      expect(JSON.stringify(lines)).not.toContain("hunter2");
      expect((await customer.call("note", { colour: "blue" })).status).toBe(204);
      expect(customer.sessionId).not.toBe(old);
      expect(await whoIs(customer)).toEqual([undefined, { colour: "blue" }]);
    },
  );

  test("doesn't exist if its key has a record with another ID", async () => {
    const { client } = await start(base);
    const [customer, other] = [client(), client()];
    await customer.call("enter", { id: 7 });
    await other.call("enter", { id: 8 });
    const [first, second] = await stored();
    await driver.setItemRaw?.(first?.key as string, second?.text, {});
    expect(await whoIs(customer)).toEqual([undefined, {}]);
    expect(await whoIs(other)).toEqual([8, {}]);
  });

  test("doesn't begin for a user ID that no cookie can carry", async () => {
    allowErrors();
    const { client } = await start(base);
    const answer = await client().call("enter", { id: "\ud800" });
    expect(answer).toMatchObject({ status: 500, setCookies: [] });
    expect(await ids()).toEqual([]);
  });
});

// --- Internal helpers ---

function change(text: string, next: (value: object) => object): string {
  const envelope = JSON.parse(text);
  return JSON.stringify({ ...envelope, value: next(envelope.value) });
}
