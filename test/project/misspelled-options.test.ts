import { expect, onTestFinished, test } from "vitest";
import { createDurableObjectDriver } from "../../adapters/durable-object.ts";
import { createExpressStore } from "../../adapters/express.ts";
import { medusa } from "../../adapters/medusa.ts";
import { prometheus } from "../../adapters/prometheus.ts";
import { createVendureSessionCache, vendure } from "../../adapters/vendure.ts";
import { storefront } from "../../adapters/vite.ts";
import { createRpcCaller } from "../../server/rpc-caller.ts";
import { createStorefront } from "../../server/storefront.ts";
import { testCommerceBackend } from "../../server/testing/commerce-suite.ts";
import { createTestStorefront } from "../../server/testing/index.ts";
import { testConfig } from "../_setup.ts";

class Store {
  readonly name = "store";
}

/** Functions of the public entries with a misspelled option, as JavaScript can pass it. */
const functions: readonly [
  name: string,
  run: (options: never) => unknown,
  wrong: string,
  meant: string,
][] = [
  ["prometheus", prometheus, "prot", "port"],
  ["vendure", vendure, "chanel", "channel"],
  ["medusa", medusa, "regionID", "regionId"],
  ["createDurableObjectDriver", createDurableObjectDriver, "nameSpace", "namespace"],
  ["createVendureSessionCache", createVendureSessionCache, "storrage", "storage"],
  ["testCommerceBackend", testCommerceBackend, "seed", "seeds"],
  ["storefront", storefront, "configs", "config"],
  [
    "createExpressStore",
    (options) => createExpressStore(Store, options),
    "destroyedTTL",
    "destroyedTtl",
  ],
  ["createStorefront", (options) => createStorefront(testConfig(), options), "shedule", "schedule"],
];

test.each(functions)("%s rejects a misspelled option", (name, run, wrong, meant) => {
  const message = `${name}: no option ${wrong}; did you mean ${meant}?`;
  expect(() => run({ [wrong]: 9090 } as never)).toThrow(new TypeError(message));
});

test("createTestStorefront, its visitors, and its callers reject a misspelled option", async () => {
  const { shops } = testConfig();
  await expect(createTestStorefront({ shops }, { clok: 1 } as object)).rejects.toThrow(
    "createTestStorefront: no option clok; did you mean clock?",
  );
  const { app, visitor, close } = await createTestStorefront({ shops });
  onTestFinished(close);
  expect(() => visitor({ shopID: 1 } as object)).toThrow(
    "visitor: no option shopID; did you mean shopId?",
  );
  const request = new Request("http://localhost/");
  expect(() => createRpcCaller(app, request, { header: {} } as object)).toThrow(
    "createRpcCaller: no option header; did you mean headers?",
  );
});

test("options can have members for other functions, and undefined ones", () => {
  const shared = { url: "http://localhost", regions: ["de"], prot: undefined };
  expect(() => medusa({ ...shared, publishableKey: "pk", regionId: "reg" })).not.toThrow();
  expect(() => prometheus(shared as object)).not.toThrow();
});
