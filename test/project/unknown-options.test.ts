import { expect, onTestFinished, test } from "vitest";
import { createDurableObjectDriver } from "../../adapters/durable-object.ts";
import { createExpressStore } from "../../adapters/express.ts";
import { medusa } from "../../adapters/medusa.ts";
import { prometheus } from "../../adapters/prometheus.ts";
import { createRpcQueries } from "../../adapters/react-query.ts";
import { createVendureSessionCache, vendure } from "../../adapters/vendure.ts";
import { storefront } from "../../adapters/vite.ts";
import { createRpcCaller } from "../../server/rpc-caller.ts";
import { createStorefront } from "../../server/storefront.ts";
import { testCommerceBackend } from "../../server/testing/commerce-suite.ts";
import { createTestStorefront } from "../../server/testing/index.ts";
import { InMemorySessionCacheStrategy, openDriver } from "../../storage/index.ts";
import { testConfig } from "../_setup.ts";

class Store {
  readonly name = "store";
}
const storage = openDriver({ driver: "memory" });

/** Functions of the public entries, with options as JavaScript can pass them. */
const functions: Readonly<Record<string, (options: never) => unknown>> = {
  prometheus,
  vendure,
  medusa,
  createDurableObjectDriver,
  createVendureSessionCache,
  testCommerceBackend,
  storefront,
  createExpressStore: (options) => createExpressStore(Store, options),
  createRpcQueries: (options) => createRpcQueries({}, options),
  createStorefront: (options) => createStorefront(testConfig(), options),
  InMemorySessionCacheStrategy: (options) => new InMemorySessionCacheStrategy(options),
};

test.each(Object.entries(functions))("%s rejects an unknown option", (name, run) => {
  expect(() => run({ storage, prot: 9090 } as never)).toThrow(TypeError);
  expect(() => run({ prot: 9090 } as never)).toThrow(`${name}: unknown option prot. Expected `);
});

test("createTestStorefront, its visitors, and its callers reject an unknown option", async () => {
  const unknown = { seed: 1 } as object;
  const { shops } = testConfig();
  await expect(createTestStorefront({ shops }, unknown)).rejects.toThrow(
    "createTestStorefront: unknown option seed. Expected clock, random",
  );
  const { app, visitor, close } = await createTestStorefront({ shops });
  onTestFinished(close);
  expect(() => visitor(unknown)).toThrow("visitor: unknown option seed. Expected shopId, ip");
  expect(() => createRpcCaller(app, new Request("http://localhost/"), unknown)).toThrow(
    "createRpcCaller: unknown option seed. Expected shopId, headers",
  );
});

test("an option that is undefined counts as absent", () => {
  expect(() => prometheus({ prot: undefined } as object)).not.toThrow();
});
