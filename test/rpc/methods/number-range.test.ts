import { expect, test } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { createSetup } from "../../_setup.ts";

const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

const methods = {
  echo: defineRpcMethod({
    access: "public",
    readOnly: true,
    input: z.unknown(),
    handler: (payload) => payload ?? null,
  }),
};

test.each(["1e999", "-1e999", "[[1, 1e309]]", '{"a": {"b": 1E+400}}', "9".repeat(400)])(
  "rejects a payload with a number that JSON reads as Infinity: %.20s",
  async (payload) => {
    const { send } = await start({ methods });
    const headers = { "content-type": "application/json" };
    const body = `{"payload": ${payload}}`;
    const posted = await send("/de/api/rpc/echo", { method: "POST", headers, body });
    const query = `payload=${encodeURIComponent(payload)}`;
    const got = await send(`/de/api/rpc/echo?${query}`, {});
    for (const response of [posted, got]) {
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: "malformed_request" });
    }
  },
);

test.each(["1e308", "-0", "5e-324"])("takes the number %s", async (payload) => {
  const { send } = await start({ methods });
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", headers, body: `{"payload": ${payload}}` };
  expect((await send("/de/api/rpc/echo", init)).status).toBe(200);
});
