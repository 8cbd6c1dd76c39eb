import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testProperty } from "../_fuzz.ts";
import { startMeasuredServer, type MeasuredCall, type MeasuredServer } from "../_measured.ts";
import { growing, maxBodySize, slowestPayloads, type Growing } from "../_payloads.ts";

/** Milliseconds of CPU time that one call may hold the event loop for. */
const limit = 50;
/** A payload of twice the size may cost so many times as much; twice, because one doubling is too noisy. */
const growth = 2.5;

const slowest = slowestPayloads();

let server: MeasuredServer;
let worst = { time: 0, name: "" };

beforeAll(async () => {
  server = await startMeasuredServer();
  // The limits are those of a server that is warm.
  for (let round = 0; round < 15; round++) {
    for (const each of slowest) await server.send(toCall(each, maxBodySize / 2));
  }
}, 60_000);

afterAll(async () => {
  console.info(`The longest turn of the event loop: ${worst.time.toFixed(1)} ms, ${worst.name}`);
  await server.close();
});

describe("the event loop", () => {
  testProperty(
    "blocks for less than 50 ms with any payload of any method",
    100,
    growing,
    async (each) => {
      const time = await measureBest([toCall(each, maxBodySize)], 3, limit / 2);
      if (time > worst.time) worst = { time, name: each.name };
      expect(time, each.name).toBeLessThan(limit);
    },
  );

  test.each(slowest)(
    "blocks for less than 50 ms, in proportion to the size: $name",
    async (each) => {
      let whole = Infinity;
      let ratio = Infinity;
      // The best of three: a collection of garbage falls on the larger payload more often.
      for (let round = 0; round < 3 && ratio >= growth ** 2; round++) {
        const quarter = await measureBest([toCall(each, maxBodySize / 4)], 5);
        whole = Math.min(whole, await measureBest([toCall(each, maxBodySize)], 5));
        ratio = Math.min(ratio, whole / quarter);
      }
      if (whole > worst.time) worst = { time: whole, name: each.name };
      expect(whole).toBeLessThan(limit);
      // Below this, the cost of any call hides the growth.
      if (whole > 8) expect(ratio).toBeLessThan(growth ** 2);
    },
  );

  const cookies = {
    "thousands of cookies": repeat((index) => `a${index}=${index}`, "; "),
    "hundreds of our cookies": repeat(
      (index) => `$session-1001=s:${index}.${"a".repeat(43)}`,
      "; ",
    ),
    "a cookie that is encoded": `a=${repeat(() => "%41", "")}`,
  };

  test.each(Object.entries(cookies))(
    "blocks for less than 50 ms with invalid payloads with %s",
    async (name, cookie) => {
      for (const each of slowest) {
        const call = { ...toCall(each, maxBodySize), headers: { cookie } };
        const time = await measureBest([call], 3, limit / 2);
        if (time > worst.time) worst = { time, name: `${each.name}, with ${name}` };
        expect(time, each.name).toBeLessThan(limit);
      }
    },
  );

  test.each([
    ["x-forwarded-for", repeat((index) => `127.0.0.${index % 256}`, ",")],
    ["x-forwarded-for", `[${"]".repeat(15_000)}`],
    ["x-forwarded-host", "a".repeat(15_000)],
    ["forwarded", "a".repeat(15_000)],
    ["forwarded", `for="${'\\"'.repeat(7000)}`],
    ["forwarded", repeat(() => 'for="\\', "")],
  ])("blocks for less than 50 ms with a long header of a proxy: %s", async (name, value) => {
    // A call with an origin reads these headers.
    const headers = { origin: "https://shop.example", [name]: value };
    const call = { method: "getUser", body: "{}", headers };
    const time = await measureBest([call], 3, limit / 2);
    expect(time).toBeLessThan(limit);
  });

  test("blocks for less than 50 ms between the calls of a batch", async () => {
    for (const count of [1, 5, 20]) {
      for (const each of slowest) {
        const { method, body } = toCall(each, Math.floor(maxBodySize / count) - 40);
        const entry = `{"method":${JSON.stringify(method)},${body.slice(1)}`;
        const batch = {
          method: "",
          body: `[${Array.from({ length: count }, () => entry).join(",")}]`,
        };
        const time = await measureBest([batch], 3, limit / 2);
        if (time > worst.time) worst = { time, name: `${count} times ${each.name}` };
        expect(time, `${count} times ${each.name}`).toBeLessThan(limit);
      }
    }
  });

  test.each([
    ["stray names", `[{${repeat((index) => `"${index}":1`, ",", 99_000)}}]`],
    ["numbers", `[${repeat(() => "1", ",", 99_000)}]`],
    ["open brackets", "[".repeat(99_000)],
    ["a long name of a method", `[{"method":"${"a".repeat(99_000)}"}]`],
    ["a long key", `[{"method":"echo","key":"${"a".repeat(99_000)}"}]`],
  ])("blocks for less than 50 ms with a batch of %s", async (name, body) => {
    const time = await measureBest([{ method: "", body }], 3, limit / 2);
    expect(time, name).toBeLessThan(limit);
  });

  test.each(["b@", "@b", "@b@"])(
    "blocks for less than 50 ms on an error that nearly quotes a long secret: %s",
    async (shape) => {
      for (const size of [5000, 20_000, 30_000]) {
        const password = shape.replaceAll("@", "a".repeat(size / 2));
        const payload = { password: [`${password}"`, "another"], text: "a".repeat(60_000) };
        const call = { method: "fail", body: JSON.stringify({ payload }) };
        expect(await measureBest([call], 3, limit / 2), `${size}`).toBeLessThan(limit);
      }
    },
  );
});

// --- Internal helpers ---

function toCall({ method, toPayload }: Growing, size: number): MeasuredCall {
  const payload = toPayload(size - '{"payload":}'.length);
  // Some characters have several bytes.
  const excess = Buffer.byteLength(payload) / payload.length;
  const body = excess > 1 ? toPayload(Math.floor(size / excess) - 20) : payload;
  return { method, body: `{"payload":${body}}` };
}

/** The shortest of some measurements; the first that is good enough ends them. */
async function measureBest(
  calls: readonly MeasuredCall[],
  rounds: number,
  enough = 0,
): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < rounds && best > enough; round++) {
    best = Math.min(best, await server.measure(calls));
  }
  return best;
}

/** @param length of the result; by default, the largest value that fits into the headers */
function repeat(
  part: (index: number) => string,
  separator: string,
  length: number = 15_000,
): string {
  let text = part(0);
  for (let index = 1; text.length < length; index++) text += separator + part(index);
  return text;
}
