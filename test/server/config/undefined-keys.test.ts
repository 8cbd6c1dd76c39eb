import { describe, expect, test } from "vitest";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { checkConfig } from "../../../server/config/check.ts";
import { createConfigSchema } from "../../../server/config/config.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { createSetup, testSecret } from "../../_setup.ts";

const auth = {
  login: async () => undefined,
  register: async () => ({ id: 7 }),
  changePassword: async () => false,
  updateUser: async () => ({ id: 7 }),
  changeEmail: async () => ({ id: 7 }),
};
const session = {
  cookieName: "sid",
  sameSite: "strict",
  maxAge: 7200,
  secret: testSecret,
  domain: "shop.example",
  idleTimeout: 3600,
  absoluteTimeout: 7000,
  guestIdleTimeout: 1800,
  guestAbsoluteTimeout: 6000,
  renewAfter: 600,
  freshFor: 60,
  maxSessionsPerUser: 5,
  sessionLimitPolicy: "refuse",
  encryptionKeys: "another-phrase-of-many-characters-0815",
  secure: true,
  partitioned: false,
  tokenMethod: ["cookie", "bearer"],
  authTokenHeaderKey: "x-token",
  cache: { ttl: 10, max: 20 },
};
const groups = {
  session,
  cors: { origin: ["https://a.example"], credentials: false, exposedHeaders: ["x-a"], maxAge: 60 },
  basket: { mergeStrategy: "useGuest", maxItems: 5, maxQuantity: 6 },
  wishlist: { maxItems: 7 },
};
const redis = { driver: "redis", url: "redis://localhost", base: "b" };
const shop = {
  shopId: 1001,
  locale: "de-DE",
  currency: "EUR",
  host: "shop.example",
  path: "de",
  isDefault: true,
  realm: "eu",
  storage: { session: redis, basket: redis },
  ...groups,
};
/** A config in which most keys have another value than the default. */
const full: Readonly<Record<string, unknown>> = {
  shops: [shop, { ...shop, shopId: 1002, host: "b.shop.example", path: "us", isDefault: false }],
  basePath: "/x",
  shopSelector: "domain",
  storage: { session: redis, basket: redis, account: redis },
  ...groups,
  methods: { own: defineRpcMethod({ handler: () => 1 }) },
  hooks: { "storefront:rpc:before": () => undefined },
  auth,
  maxBodySize: 5000,
  callTimeout: 5,
  loginAttempts: { perAccount: 3, perAddress: 4, window: 5 },
  admin: { token: "one-more-phrase-of-many-characters-4711" },
  trustProxy: ["10.0.0.1"],
  log: createTestLog().log,
};

type Path = readonly (string | number)[];

/** The paths of all keys, down to values and lists of values. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (Array.isArray(value) && typeof value[0] !== "object") return [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const place = [...path, Array.isArray(value) ? Number(key) : key];
    return Array.isArray(value) ? pathsOf(inner, place) : [place, ...pathsOf(inner, place)];
  });
}

/** A copy with a key changed by `change`, which gets the object that the key is in. */
function changed(value: unknown, path: Path, change: (owner: Record<string, unknown>) => void) {
  const [key, ...rest] = path as [string, ...Path];
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<
    string,
    unknown
  >;
  if (rest.length === 0) change(copy);
  else copy[key] = changed(copy[key], rest, change);
  return copy;
}

const needed =
  /^shops$|^shops\.\d+\.(?:shopId|locale|currency)$|\.driver$|^auth\.(?:login|reg|changeP)/;

/** The paths of all keys of the schema, also of those that `full` doesn't have. */
function keysOf(schema: unknown): Path[] {
  const { def } = schema as { readonly def: { innerType?: unknown; shape?: object } };
  if (def.shape === undefined) return def.innerType === undefined ? [] : keysOf(def.innerType);
  return Object.entries(def.shape).flatMap(([key, inner]) => [
    [key],
    ...keysOf(inner).map((below) => [key, ...below]),
  ]);
}

const all = [...pathsOf(full), ...keysOf(createConfigSchema())];
const places = new Map(all.map((path) => [path.join("."), path]));

describe("checkConfig", () => {
  test.each([...places].filter(([place]) => !needed.test(place)))(
    "treats undefined as a missing key: %s",
    (_, path) => {
      const key = path.at(-1) as string;
      for (const production of [true, false]) {
        const examine = (config: unknown) => checkConfig(config, { production });
        const undefinedKey = examine(changed(full, path, (owner) => (owner[key] = undefined)));
        const noKey = examine(changed(full, path, (owner) => delete owner[key]));
        expect(undefinedKey.diagnostics).toEqual(noKey.diagnostics);
        expect(undefinedKey.effective).toEqual(noKey.effective);
      }
    },
  );
});

describe("createStorefront", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("serves no admin API if the token is undefined", async () => {
    for (const admin of [undefined, {}, { token: undefined }]) {
      const { send } = await start({ admin });
      const init = { method: "POST", headers: { authorization: "Bearer undefined" } };
      expect((await send("/api/admin/endAllSessions", init)).status).toBe(404);
    }
  });

  test("keeps the built-in method if a method of that name is undefined", async () => {
    const { client } = await start({ methods: { getUser: undefined } as never });
    expect((await client().call("getUser")).status).toBe(200);
  });

  test("uses the global value if a shop's value is undefined", async () => {
    const { app } = await start({
      shops: [
        {
          shopId: 1001,
          locale: "de-DE",
          currency: "EUR",
          path: "de",
          cors: undefined,
          basket: undefined,
          session: { maxAge: undefined, secret: undefined },
        },
      ],
      cors: { origin: ["https://a.example"] },
      basket: { maxItems: 5 },
      session: { maxAge: 60 },
    });
    const [shopOptions] = app.options.shops;
    expect(shopOptions?.cors.origin).toEqual(["https://a.example"]);
    expect(shopOptions?.basket.maxItems).toBe(5);
    expect(shopOptions?.session).toMatchObject({ maxAge: 60, secrets: [testSecret] });
  });
});
