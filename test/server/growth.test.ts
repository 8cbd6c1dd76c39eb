import createMemoryDriver from "unstorage/drivers/memory";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { createSetup } from "../_setup.ts";
import { slowestPayloads } from "../_payloads.ts";
import type { CookieClient } from "../_cookie-client.ts";
import { readStored } from "../fixtures/stored.ts";
import { as, trustingAuth as auth } from "../fixtures/trusting-auth.ts";

const setup = createSetup("memory", "request", () => ({ driver: "memory" }));
const { start } = setup;

async function fill(client: CookieClient, variantId: number): Promise<void> {
  await client.call("addItemToBasket", { variantId, quantity: 1 });
  await client.call("addItemToWishlist", { variantId });
}

describe("a user's documents", () => {
  test("keep their size limit after many guest logins of the user", async () => {
    const driver = createMemoryDriver();
    const limits = { basket: { maxItems: 5 }, wishlist: { maxItems: 5 } };
    const { client } = await start({ auth, storage: { session: driver }, ...limits });
    let user = client();
    for (let round = 0; round < 230; round++) {
      user = client();
      await fill(user, round + 1);
      expect((await user.call("login", as(7))).status).toBe(200);
    }
    const stored = await readStored(driver);
    const largest = (kind: string) => {
      const documents = stored.filter(({ key }) => key.startsWith(kind));
      return documents.map(({ text }) => text).toSorted((a, b) => b.length - a.length)[0] ?? "";
    };
    for (const kind of ["basket:", "wishlist:"]) {
      const [items, merged] = largest(kind).split('"merged":');
      expect(items?.match(/"addedAt"/g)).toHaveLength(10);
      // Guests' documents that cannot be merged again.
      expect(merged?.match(/:\d{13}/g)).toHaveLength(200);
    }
    expect(largest("user:").match(/"createdAt"/g)).toHaveLength(50);
  }, 60_000);
});

describe("log lines", () => {
  test("stay few and short with any payload and headers", async () => {
    setup.allowErrors();
    const fail = defineRpcMethod({
      input: z.looseObject({ secret: z.string() }),
      handler(payload, { log }) {
        log.warn("A method failed", { payload: Object.keys(payload).length });
        throw new Error(JSON.stringify(payload).slice(0, 1000));
      },
    });
    const { client, lines } = await start({ auth, methods: { fail } });
    const cookie = Array.from({ length: 900 }, (_, index) => `$session-1001=s:${index}.a`).join(
      "; ",
    );
    for (const { method, toPayload } of slowestPayloads()) {
      await client().request(`/api/rpc/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-shop-id": "1001", cookie },
        body: `{"payload":${toPayload(90_000)}}`,
      });
    }
    await client().call("fail", { secret: "s".repeat(5000), more: "m".repeat(50_000) }, { cookie });
    expect(lines.filter(({ level }) => level !== "debug").length).toBeLessThan(15);
    expect(JSON.stringify(lines).length).toBeLessThan(20_000);
  });

  test("name 20 errors of an invalid result and count the others", async () => {
    setup.allowErrors();
    const wrong = defineRpcMethod({
      output: z.array(z.int()),
      handler: () => Array.from({ length: 1000 }, () => "x" as unknown as number),
    });
    const { client, lines } = await start({ methods: { wrong } });
    expect((await client().call("wrong")).status).toBe(500);
    const text = JSON.stringify(lines);
    expect(text).toContain("; and 980 more");
    expect(text.match(/expected int|expected number/gi)).toHaveLength(20);
  });
});
