import { describe, expect, test } from "vitest";
import { openDriver } from "../../../storage/open-driver.ts";
import { toEnvelope } from "../../../storage/documents/envelope.ts";
import { createSetup } from "../../_setup.ts";
import { testMethods } from "../../fixtures/methods.ts";

const session = {
  id: "7:8b0e1f8e-62a5-4e7c-9d58-0d3d1f0f5b11",
  shopId: 1001,
  createdAt: 1,
  lastSeenAt: 1,
  expiresAt: 4e12,
};
const merge = { shopId: 1001, belonging: "basket", key: "k", expiresAt: 4e12 };
const sound = { sessions: {}, pendingMerges: [], endedAt: 0 };

/** Indexes that differ from a valid one in one field each. */
const spoilt: [string, unknown][] = [
  ["a session that is null", { ...sound, sessions: { a: null } }],
  ["a session that is a number", { ...sound, sessions: { a: 7 } }],
  ["a list of sessions", { ...sound, sessions: [session] }],
  ["a session without an ID", { ...sound, sessions: { a: { ...session, id: undefined } } }],
  ["a session whose ID is a number", { ...sound, sessions: { a: { ...session, id: 7 } } }],
  ["a session without a shop", { ...sound, sessions: { a: { ...session, shopId: null } } }],
  ["a session without an end", { ...sound, sessions: { a: { ...session, expiresAt: null } } }],
  ["a session with a date as text", { ...sound, sessions: { a: { ...session, lastSeenAt: "1" } } }],
  [
    "a session with a number to replace",
    { ...sound, sessions: { a: { ...session, replaces: 1 } } },
  ],
  [
    "a session with an object as browser",
    { ...sound, sessions: { a: { ...session, userAgent: {} } } },
  ],
  ["an ending session that is null", { ...sound, ending: [null] }],
  ["ending sessions that are no list", { ...sound, ending: { a: session } }],
  ["a pending merge that is null", { ...sound, pendingMerges: [null] }],
  [
    "a pending merge of something else",
    { ...sound, pendingMerges: [{ ...merge, belonging: "x" }] },
  ],
  ["a pending merge without a key", { ...sound, pendingMerges: [{ ...merge, key: undefined }] }],
  ["pending merges that are no list", { ...sound, pendingMerges: {} }],
  ["no time of the last end", { ...sound, endedAt: null }],
];

describe("a user's index of nearly the right shape", () => {
  const driver = openDriver({ driver: "memory" });
  const { start } = createSetup("memory", "request", () => driver);

  test.each(spoilt)("with %s counts as lost, and every call works", async (_, index) => {
    const { client } = await start({ methods: testMethods });
    const { text } = toEnvelope(JSON.stringify(index), undefined);
    await driver.setItemRaw?.("user:default:7", text, {});
    const user = client();
    expect(await user.call("enter", { id: 7 })).toMatchObject({ status: 200 });
    expect((await user.call("listSessions")).body.sessions).toHaveLength(1);
    expect(await user.call("logoutEverywhere")).toMatchObject({ status: 200, body: { ended: 1 } });
  });

  test("keeps all its entries if it is valid", async () => {
    const { client } = await start({ methods: testMethods });
    const index = { ...sound, sessions: { a: session }, ending: [session], pendingMerges: [merge] };
    const { text } = toEnvelope(JSON.stringify(index), undefined);
    await driver.setItemRaw?.("user:default:7", text, {});
    const user = client();
    await user.call("enter", { id: 7 });
    expect((await user.call("listSessions")).body.sessions).toHaveLength(2);
  });
});
