import { beforeEach, describe, expect, test } from "vitest";
import type { Driver } from "unstorage";
import { openDriver } from "../../../storage/open-driver.ts";
import { createSetup } from "../../_setup.ts";
import { testMethods } from "../../fixtures/methods.ts";
import { readStored } from "../../fixtures/stored.ts";

const wrong: readonly unknown[] = [null, 7, "x", true, [], {}, [null], { basket: 7 }, { id: 7 }];

const fields = [
  "id",
  "createdAt",
  "idIssuedAt",
  "firstUsedAt",
  "authenticatedAt",
  "generation",
  "epoch",
  "lastSeenAt",
  "handle",
  "ownerKey",
  "belongings",
  "user",
  "customData",
  "tokens",
  "transient",
  "mergePending",
  "replacedBy",
  "mark",
];

const line = { variantId: 7, quantity: 1 };

/** Calls that read or write every part of a session. */
const calls: readonly [method: string, payload?: unknown][] = [
  ["getUser"],
  ["notes"],
  ["getBasket"],
  ["note", { later: true }],
  ["addItemToBasket", line],
  ["getWishlist"],
  ["listSessions"],
  ["logout"],
];

describe("a session's record of nearly the right shape", () => {
  let driver: Driver;
  beforeEach(() => {
    driver = openDriver({ driver: "memory" });
  });
  const { start } = createSetup("memory", "request", () => driver);

  describe.each(["user", "guest"])("for a %s", (kind) => {
    test.each(fields)("with another type for %s fails no call", async (field) => {
      const { client } = await start({ methods: testMethods, session: { cache: false } });
      for (const value of wrong) {
        const one = client();
        if (kind === "user") await one.call("enter", { id: 7 });
        await one.call("note", { begun: true });
        await one.call("addItemToBasket", line);
        const [record] = (await readStored(driver, "session:1001:")).filter(({ key }) =>
          key.endsWith(one.sessionId?.slice(-36) as string),
        );
        const envelope = JSON.parse(record?.text as string);
        for (const [method, payload] of calls) {
          const spoilt = { ...envelope, value: { ...envelope.value, [field]: value } };
          await driver.setItemRaw?.(record?.key as string, JSON.stringify(spoilt), {});
          const { status } = await one.clone().call(method, payload);
          expect(status, `${method} with ${JSON.stringify(value)}`).not.toBe(500);
        }
      }
    });
  });
});
