import { expect, test } from "vitest";
import type { CorsConfig } from "../../server/config/keys/cors-keys.ts";
import { createSetup, testConfig } from "../_setup.ts";

const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));
const shop = "https://shop.example";
const own = "authorization, content-type, idempotency-key, if-match, x-shop-id";

/** The headers that a preflight allows, with these settings of the shops. */
async function ask(requested: string | undefined, cors: readonly CorsConfig[], origin = shop) {
  const shops = testConfig().shops.map((each, index) => ({ ...each, cors: cors[index] }));
  const { app } = await start({ shops });
  const response = await app.fetch(
    new Request("http://localhost/de/api/rpc/getUser", {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        ...(requested !== undefined && { "access-control-request-headers": requested }),
      },
    }),
  );
  expect(response.headers.get("vary")).toMatch(/\borigin\b/);
  return {
    status: response.status,
    allowed: response.headers.get("access-control-allow-headers"),
    vary: response.headers.get("vary"),
  };
}

const open: CorsConfig = { origin: [shop] };

test("allows the headers that a page requests, and varies by them", async () => {
  const wanted = "content-type,x-shop-id,Sentry-Trace, baggage ,traceparent,x_campaign";
  expect(await ask(wanted, [open, open])).toEqual({
    status: 204,
    allowed: `${own}, sentry-trace, baggage, traceparent, x_campaign`,
    vary: "origin, access-control-request-headers",
  });
  expect(await ask(undefined, [open, open])).toMatchObject({ allowed: own });
});

test("allows no headers to an origin that no shop allows", async () => {
  const refused = await ask("x-campaign", [open, open], "https://evil.example");
  expect(refused).toMatchObject({ status: 403, allowed: null });
});

test.each(["*", "a b", "x:y", "x\ty", "é", "(x)", '"x"', "", ",,", "x=y"])(
  "ignores the requested header %j, which is not a header name",
  async (name) => {
    expect((await ask(`${name}, x-good`, [open, open])).allowed).toBe(`${own}, x-good`);
  },
);

test.each(["X-Forwarded-For", "x-forwarded-host", "forwarded", "x-real-ip"])(
  "ignores the requested header %s, which only a proxy sends",
  async (name) => {
    expect((await ask(`${name}, x-good`, [open, open])).allowed).toBe(`${own}, x-good`);
  },
);

test("allows at most 1 KB of requested header names", async () => {
  const names = Array.from({ length: 400 }, (_, index) => `x-name-${1000 + index}`);
  const { allowed } = await ask(names.join(), [open, open]);
  expect(allowed?.length).toBeLessThanOrEqual(own.length + 1024);
  expect(allowed?.length).toBeGreaterThan(own.length + 900);
  expect((await ask("x".repeat(1025), [open, open])).allowed).toBe(own);
});

test("allows the configured headers instead, and with several shops those of each", async () => {
  const listed = { ...open, allowedHeaders: ["X-Campaign"] };
  const other = { ...open, allowedHeaders: ["baggage"] };
  expect((await ask("x-other", [listed, listed])).allowed).toBe(`${own}, x-campaign`);
  expect((await ask(undefined, [listed, other])).allowed).toBe(`${own}, x-campaign, baggage`);
  expect((await ask("x-other", [listed, open])).allowed).toBe(`${own}, x-campaign, x-other`);
  expect((await ask("x-other", [listed, { origin: [] }])).allowed).toBe(`${own}, x-campaign`);
  expect((await ask("x-other", [{ ...open, allowedHeaders: [] }, {}])).allowed).toBe(own);
});

test("accepts every valid header name in cors.allowedHeaders", async () => {
  const listed = { ...open, allowedHeaders: ["X_Tenant", "x.trace"] };
  expect((await ask(undefined, [listed])).allowed).toBe(`${own}, x_tenant, x.trace`);
});

test.each([["*"], ["x y"], [""], "x-campaign", [7]])(
  "rejects cors.allowedHeaders: %j at startup",
  async (list) => {
    const cors = { origin: [shop], allowedHeaders: list as string[] };
    await expect(start({ cors })).rejects.toThrow(/cors\.allowedHeaders/);
  },
);
