import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { root } from "../_cli.ts";

/*
 * The build contains the part of zod that it needs. The zod of a project is another copy, so its schemas must work with
 * that part.
 */
const program = `
  import { createStorefront, defineRpcMethod, secret } from "storefront-core";
  import * as z from "zod";
  import * as mini from "zod/mini";

  const price = z.number();
  z.globalRegistry.add(price, { description: "the price in cents" });
  const fail = ({ pin }) => { throw new Error("wrong pin: " + pin); };
  const methods = {
    classic: defineRpcMethod({
      input: z.strictObject({ email: z.email().meta({ description: "an address" }), price }),
      handler: ({ email }) => email,
    }),
    mini: defineRpcMethod({
      input: mini.strictObject({ size: mini.int().check(mini.positive()) }),
      handler: ({ size }) => size,
    }),
    withSecret: defineRpcMethod({ input: z.object({ pin: secret(z.string().min(4)) }), handler: fail }),
  };
  const logged = [];
  const log = { debug() {}, info() {}, warn() {}, error: (...line) => logged.push(line) };
  const storefront = createStorefront({
    shops: [{ shopId: 1, locale: "de-DE", currency: "EUR" }], methods, log,
  }, { production: false });
  const call = async (method, payload) => {
    const response = await storefront.fetch(new Request("http://localhost/api/rpc/" + method, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ payload }),
    }));
    return [response.status, await response.json()];
  };
  const document = await (await storefront.fetch(new Request("http://localhost/api/openapi.json"))).json();
  console.log(JSON.stringify({
    classic: await call("classic", { email: "a@example.com", price: 7 }),
    wrongClassic: await call("classic", { email: "a", price: "7" }),
    mini: await call("mini", { size: 1 }),
    wrongMini: await call("mini", { size: 0 }),
    withSecret: await call("withSecret", { pin: "open sesame" }),
    logged: JSON.stringify(logged),
    document: JSON.stringify(document),
  }));
  process.exit();
`;

let results: Readonly<Record<string, unknown>>;

beforeAll(async () => {
  const args = ["--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  results = JSON.parse(stdout) as typeof results;
}, 60_000);

test("checks payloads by schemas of the project's own zod", () => {
  expect(results).toMatchObject({
    classic: [200, "a@example.com"],
    wrongClassic: [
      422,
      {
        errors: [
          { path: ["email"], message: "Invalid email address" },
          { path: ["price"], message: "Invalid input: expected number, received string" },
        ],
      },
    ],
  });
});

test("gives messages in English to schemas of the project's own zod/mini", () => {
  expect(results).toMatchObject({
    mini: [200, 1],
    wrongMini: [422, { errors: [{ message: "Too small: expected number to be >0" }] }],
  });
});

test("keeps secrets of the project's own schemas out of the log", () => {
  const { withSecret, logged } = results as { withSecret: unknown; logged: string };
  expect(withSecret).toMatchObject([500, {}]);
  expect(logged).toContain("wrong pin: [redacted]");
  expect(logged).not.toContain("open sesame");
});

test("describes the project's own schemas in the OpenAPI document", () => {
  const { document } = results as { document: string };
  expect(document).toContain('"description":"an address"');
  expect(document).toContain('"description":"the price in cents"');
});
