import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startMeasuredServer, type MeasuredCall, type MeasuredServer } from "../../_measured.ts";
import { deep } from "../../_payloads.ts";

/** Milliseconds of CPU time that one call may hold the event loop for. */
const limit = 50;
/** The defaults of `maxItems`. */
const maxLines = 100;
const maxWishes = 200;

/** Custom data of 4,096 characters, each in its own way expensive. */
const kinds: Readonly<Record<string, (index: number) => string>> = {
  "nested lists": (index) => `{"b":${index},"a":[${fill(() => deep(25))}]}`,
  "empty objects": (index) => `{"b":${index},"a":[${fill(() => "{}")}]}`,
  "unsorted keys": (index) => `{"z":${index},${fill((key) => `"${9000 - key}k":0`)}}`,
  "quotation marks": (index) => `{"b":${index},"a":[${fill(() => '"\\"\\""')}]}`,
  "wide characters": (index) => `{"b":${index},"a":"${"漢".repeat(4070)}"}`,
};

let server: MeasuredServer;
let worst = { time: 0, name: "" };

beforeAll(async () => {
  server = await startMeasuredServer();
}, 60_000);

afterAll(async () => {
  console.info(`The longest turn of the event loop: ${worst.time.toFixed(1)} ms, ${worst.name}`);
  await server.close();
});

describe("a call with the largest basket that a merge can make", () => {
  test.each(Object.entries(kinds))(
    "holds the event loop for less than 50 ms if its custom data has %s",
    async (kind, toData) => {
      const logins: number[] = [];
      let client = "";
      for (let round = 0; round < 3; round++) {
        const login = toLogin(`${kind.replace(" ", "-")}-${round}@example.com`);
        const user = await addLines(toData, 0, maxLines);
        await send("login", login, user);
        const guest = await addLines(toData, maxLines, maxLines);
        logins.push(await measure("login", login, guest));
        const last = await addLines(toData, 2 * maxLines, 1);
        const { cookie, text } = await send("login", login, last);
        expect(text).toContain('"left_out"');
        client = cookie ?? "";
      }
      expectFast(`login, ${kind}`, Math.min(...logins));

      const { basket } = JSON.parse((await send("getBasket", undefined, client)).text);
      expect(basket.items).toHaveLength(2 * maxLines);
      const itemKey = basket.items[150].key as string;
      const line = (index: number) => `{"variantId":7,"quantity":1,"customData":${toData(index)}}`;
      const lines = Array.from({ length: 7 }, (_, index) => line(index)).join(",");
      const calls: readonly (readonly [string, (round: number) => string])[] = [
        ["getBasket", () => "null"],
        ["addItemToBasket", () => line(3)],
        ["addItemToBasket", () => line(999)],
        ["addItemsToBasket", () => `{"items":[${lines}]}`],
        ["updateBasketItem", (round) => `{"itemKey":"${itemKey}","quantity":${round + 2}}`],
        [
          "updateBasketItem",
          (round) => `{"itemKey":"${itemKey}","customData":${toData(round + 1000)}}`,
        ],
        ["removeItemFromBasket", (round) => `{"itemKey":"${basket.items[round].key}"}`],
        ["clearBasket", () => "null"],
      ];
      for (const [method, toPayload] of calls) {
        let best = Infinity;
        for (let round = 0; round < 3; round++) {
          best = Math.min(best, await measure(method, toPayload(round), client));
        }
        expectFast(`${method}, ${kind}`, best);
      }
    },
    120_000,
  );
});

test("a login that merges two full wishlists holds the event loop for less than 50 ms", async () => {
  const times: number[] = [];
  for (let round = 0; round < 3; round++) {
    const login = toLogin(`wishes-${round}@example.com`);
    const user = await addWishes(0);
    await send("login", login, user);
    const guest = await addWishes(maxWishes);
    times.push(await measure("login", login, guest));
  }
  expectFast("login, wishlists", Math.min(...times));
}, 120_000);

// --- Internal helpers ---

/** The longest ID. */
const toId = (index: number) => JSON.stringify(`${index}`.padEnd(64, "\\"));

const toLogin = (email: string) => `{"email":"${email}","password":"correct horse"}`;

/** The most parts that fit. */
function fill(part: (index: number) => string): string {
  let text = part(0);
  for (let index = 1; text.length + part(index).length < 4070; index++) text += `,${part(index)}`;
  return text;
}

function toCall(method: string, payload = "null", cookie = ""): MeasuredCall {
  const body = payload === "null" ? "{}" : `{"payload":${payload}}`;
  return { method, body, ...(cookie !== "" && { headers: { cookie } }) };
}

const send = (method: string, payload?: string, cookie?: string) =>
  server.send(toCall(method, payload, cookie));

const measure = (method: string, payload: string, cookie: string) =>
  server.measure([toCall(method, payload, cookie)]);

function expectFast(name: string, time: number): void {
  if (time > worst.time) worst = { time, name };
  expect(time, name).toBeLessThan(limit);
}

/** Adds lines of one variant, so that the server must distinguish all of them. @returns the guest's cookie */
async function addLines(
  toData: (index: number) => string,
  from: number,
  count: number,
): Promise<string> {
  let cookie = "";
  for (let at = 0; at < count; at += 7) {
    const items = Array.from(
      { length: Math.min(7, count - at) },
      (_, index) => `{"variantId":7,"quantity":1,"customData":${toData(from + at + index)}}`,
    );
    const answer = await send("addItemsToBasket", `{"items":[${items.join(",")}]}`, cookie);
    expect(answer.status, answer.text.slice(0, 500)).toBe(200);
    cookie = answer.cookie ?? cookie;
  }
  return cookie;
}

async function addWishes(from: number): Promise<string> {
  let cookie = "";
  for (let index = from; index < from + maxWishes; index++) {
    const answer = await send("addItemToWishlist", `{"productId":${toId(index)}}`, cookie);
    expect(answer.status, answer.text.slice(0, 500)).toBe(200);
    cookie = answer.cookie ?? cookie;
  }
  return cookie;
}
