import {
  defineRpcMethod as definePackedMethod,
  type SessionCustomData,
  type ShopUser,
} from "storefront-core";
import createMemoryDriver from "unstorage/drivers/memory";
import { describe, expectTypeOf, test } from "vitest";
import * as z from "zod/mini";
import { createRpcClient } from "../../../rpc/client.ts";
import type { PublicRpcContext } from "../../../rpc/context.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import type { RpcMethod } from "../../../rpc/method.ts";
import {
  defineStorefrontConfig,
  type ShopConfig,
  type StorefrontConfig,
} from "../../../server/config/config.ts";
import type { corsKeys } from "../../../server/config/keys/cors-keys.ts";
import type { ConfigOf, Effective } from "../../../server/config/keys/config-key.ts";
import type { httpKeys } from "../../../server/config/keys/server-keys.ts";
import type { sessionKeys } from "../../../server/config/keys/session-keys.ts";
import type { shopKeys } from "../../../server/config/keys/shop-keys.ts";
import type { storageKeys } from "../../../server/config/keys/storage-keys.ts";
import type { topKeys } from "../../../server/config/keys/top-keys.ts";

declare module "storefront-core" {
  interface SessionCustomData {
    visits: number;
  }
  interface ShopUser {
    readonly loyaltyPoints?: number;
  }
}

const shops = [{ shopId: 1001, locale: "de-DE", currency: "EUR" }];

const greet = defineRpcMethod({
  access: "public",
  input: z.strictObject({ name: z.string() }),
  handler: ({ name }) => `Hello, ${name}!`,
});

describe("defineStorefrontConfig", () => {
  test("infers the names, payloads, and results of methods", () => {
    const config = defineStorefrontConfig({ shops, methods: { greet } });
    type Methods = NonNullable<(typeof config)["methods"]>;
    expectTypeOf<keyof Methods>().toEqualTypeOf<"greet">();
    expectTypeOf<Methods["greet"]>().toEqualTypeOf<
      RpcMethod<{ name: string }, string, { name: string }, PublicRpcContext>
    >();

    const rpc = createRpcClient<Methods>({ baseURL: "http://localhost:3000", shopId: 1001 });
    expectTypeOf(rpc.greet).parameter(0).toEqualTypeOf<{ name: string }>();
    expectTypeOf(rpc.greet).returns.resolves.toEqualTypeOf<string>();
  });

  test("accepts drivers by name and as objects, and undefined for each optional key", () => {
    defineStorefrontConfig({
      shops: [{ shopId: 1001, locale: "de-DE", currency: "EUR", host: undefined }],
      storage: { session: { driver: "redis", url: "redis://localhost" }, account: undefined },
      session: { secret: ["old", "new"], maxAge: undefined },
    });
    defineStorefrontConfig({ shops, storage: { basket: createMemoryDriver() } });
  });

  test("returns a config that every server accepts", () => {
    const config = defineStorefrontConfig({ shops, methods: { greet } });
    expectTypeOf(config).toExtend<StorefrontConfig>();
  });
});

describe("the compiler rejects", () => {
  test("a key that does not exist", () => {
    // @ts-expect-error -- it is session
    defineStorefrontConfig({ shops, sesion: {} });
    // @ts-expect-error -- it is maxAge
    defineStorefrontConfig({ shops, session: { maxage: 60 } });
    // @ts-expect-error -- it is storage.session
    defineStorefrontConfig({ shops, session: { provider: { driver: "memory" } } });
    // @ts-expect-error -- a session cookie is always HttpOnly
    defineStorefrontConfig({ shops, session: { httpOnly: false } });
    // @ts-expect-error -- it is storefront:afterLogin
    defineStorefrontConfig({ shops, hooks: { "storefront:afterlogin": () => {} } });
  });

  test("a value of the wrong kind", () => {
    // @ts-expect-error -- durations are seconds
    defineStorefrontConfig({ shops, session: { maxAge: "1d" } });
    // @ts-expect-error -- it is lax
    defineStorefrontConfig({ shops, session: { sameSite: "Lax" } });
    // @ts-expect-error -- there is no such selector
    defineStorefrontConfig({ shops, shopSelector: "host" });
    // @ts-expect-error -- a storage needs a driver
    defineStorefrontConfig({ shops, storage: { session: { url: "redis://localhost" } } });
    // @ts-expect-error -- a method is made by defineRpcMethod
    defineStorefrontConfig({ shops, methods: { greet: () => "hello" } });
  });

  test("a missing key", () => {
    // @ts-expect-error -- there is no server without shops
    defineStorefrontConfig({});
    // @ts-expect-error -- a shop has a currency
    defineStorefrontConfig({ shops: [{ shopId: 1001, locale: "de-DE" }] });
    // @ts-expect-error -- accounts belong to realms, not to shops
    defineStorefrontConfig({ shops: [{ ...shops[0]!, storage: { account: {} } }] });
  });
});

describe("a table of keys", () => {
  type Accepted<Table extends Readonly<Record<string, { readonly schema: z.ZodMiniType }>>> = {
    readonly [Name in keyof Table]: z.output<Table[Name]["schema"]>;
  };
  type Set<Config> = { readonly [Name in keyof Config]-?: NonNullable<Config[Name]> };
  type Group<Name extends keyof StorefrontConfig> = Set<
    Exclude<NonNullable<StorefrontConfig[Name]>, false>
  >;

  test("lists the keys of its type, and each check accepts the key's type", () => {
    expectTypeOf<Accepted<typeof topKeys>>().toEqualTypeOf<
      Set<Pick<StorefrontConfig, keyof typeof topKeys>>
    >();
    expectTypeOf<Accepted<typeof sessionKeys>>().toEqualTypeOf<Group<"session">>();
    expectTypeOf<Accepted<typeof storageKeys>>().toEqualTypeOf<Group<"storage">>();
    expectTypeOf<Accepted<typeof corsKeys>>().toEqualTypeOf<Group<"cors">>();
    expectTypeOf<Omit<Accepted<typeof httpKeys>, "routes">>().toEqualTypeOf<
      Omit<Group<"server">, "routes">
    >();
    expectTypeOf<Group<"server">["routes"]>().toExtend<Accepted<typeof httpKeys>["routes"]>();
    expectTypeOf<Accepted<typeof shopKeys>>().toEqualTypeOf<
      Set<Pick<ShopConfig, keyof typeof shopKeys>>
    >();
  });

  test("gives each key its own type, required only if the key is", () => {
    expectTypeOf<
      ConfigOf<Pick<typeof sessionKeys, "maxAge" | "sameSite">>
    >().branded.toEqualTypeOf<{
      readonly maxAge?: number | undefined;
      readonly sameSite?: "strict" | "lax" | "none" | undefined;
    }>();
    expectTypeOf<ConfigOf<Pick<typeof shopKeys, "shopId" | "path">>>().branded.toEqualTypeOf<{
      readonly shopId: number;
      readonly path?: string | undefined;
    }>();
  });

  test("gives a key with a default a value, and other keys a value or undefined", () => {
    type Values = Effective<Pick<typeof sessionKeys, "maxAge" | "idleTimeout" | "domain">>;
    expectTypeOf<Values>().toEqualTypeOf<{
      readonly maxAge: number;
      readonly idleTimeout: number;
      readonly domain: string | undefined;
    }>();
  });
});

describe("types that a deployment declares", () => {
  test("apply to the data of a session and to a user", () => {
    expectTypeOf<SessionCustomData["visits"]>().toEqualTypeOf<number>();
    expectTypeOf<ShopUser["loyaltyPoints"]>().toEqualTypeOf<number | undefined>();
  });

  test("apply in handlers", () => {
    definePackedMethod({
      access: "user",
      handler(_, { customData, updateCustomData, user, updateUser }) {
        expectTypeOf(customData.visits).toEqualTypeOf<number | undefined>();
        expectTypeOf(user.loyaltyPoints).toEqualTypeOf<number | undefined>();
        updateCustomData({ visits: 1 });
        // @ts-expect-error -- it is a number
        updateCustomData({ visits: "1" });
        // @ts-expect-error -- it is visits
        updateCustomData({ visit: 1 });
        // @ts-expect-error -- it is a number
        updateUser({ ...user, loyaltyPoints: "many" });
      },
    });
  });
});
