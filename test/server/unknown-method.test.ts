import { expect, test } from "vitest";
import { createStorefront } from "../../server/storefront.ts";
import { testConfig } from "../_setup.ts";

test.each([
  [{ production: false }, {}, "getbaskets", "Did you mean getBasket?"],
  [{ production: false }, {}, "getProducts", undefined],
  [{ production: true }, {}, "getbaskets", undefined],
  [{ production: true }, { openApi: true }, "getbaskets", "Did you mean getBasket?"],
])(
  "names a similar method only if the OpenAPI document lists all methods: %j %j %s",
  async (mode, config, method, detail) => {
    const storage = { singleProcess: true, account: { driver: "fs", base: "./unused" } };
    const app = createStorefront(testConfig({ storage, ...config }), mode);
    const response = await app.fetch(
      new Request(`http://shop.example/de/api/rpc/${method}`, { method: "POST" }),
    );
    const problem = (await response.json()) as { readonly code: string; readonly detail?: string };
    expect([response.status, problem.code, problem.detail]).toEqual([
      404,
      "unknown_method",
      detail,
    ]);
    await app.close();
  },
);
