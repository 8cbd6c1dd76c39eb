import {
  defineRpcMethod as definePackedMethod,
  type SessionCustomData,
  type ShopUser,
} from "storefront-core";
import createMemoryDriver from "unstorage/drivers/memory";
import { describe, expectTypeOf, test } from "vitest";
import * as z from "zod";
import { createRpcClient } from "../../../rpc/client.ts";
import type { PublicRpcContext } from "../../../rpc/context.ts";
import { defineRpcMethod, type RpcMethod } from "../../../rpc/method.ts";
import { defineStorefrontConfig, type StorefrontConfig } from "../../../server/config/config.ts";
import type { CorsConfig, corsKeys } from "../../../server/config/keys/cors-keys.ts";
import type { KeysOf, ValueOf } from "../../../server/config/keys/key.ts";
import type { ServerConfig, httpKeys } from "../../../server/config/keys/server-keys.ts";
import type { SessionConfig, sessionKeys } from "../../../server/config/keys/session-keys.ts";
import type { ShopConfig, shopKeys } from "../../../server/config/keys/shop-keys.ts";
import type { ServerStorageConfig, storageKeys } from "../../../server/config/keys/storage-keys.ts";
import type { TopConfig, topKeys } from "../../../server/config/keys/top-keys.ts";

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
  type Accepted<Table> = { readonly [Name in keyof Table]: ValueOf<Table[Name]> };
  type Set<Config> = { readonly [Name in keyof Config]-?: NonNullable<Config[Name]> };

  test("lists the keys of its type, and each check accepts the key's type", () => {
    expectTypeOf<Accepted<typeof topKeys>>().toEqualTypeOf<Set<TopConfig>>();
    expectTypeOf<Accepted<typeof sessionKeys>>().toEqualTypeOf<Set<SessionConfig>>();
    expectTypeOf<Accepted<typeof storageKeys>>().toEqualTypeOf<Set<ServerStorageConfig>>();
    expectTypeOf<Accepted<typeof corsKeys>>().toEqualTypeOf<Set<CorsConfig>>();
    expectTypeOf<Accepted<typeof httpKeys>>().toEqualTypeOf<Set<ServerConfig>>();
    expectTypeOf<Accepted<typeof shopKeys>>().toEqualTypeOf<
      Set<Pick<ShopConfig, keyof typeof shopKeys>>
    >();
  });

  test("does not compile with a missing, an unknown or a wrong key", () => {
    type Keys = KeysOf<{ readonly maxAge?: number | undefined }>;
    expectTypeOf<{}>().not.toExtend<Keys>();
    expectTypeOf<Pick<typeof sessionKeys, "cookieName">>().not.toExtend<Keys>();
    expectTypeOf<{ maxAge: (typeof sessionKeys)["cookieName"] }>().not.toExtend<Keys>();
    expectTypeOf<Pick<typeof sessionKeys, "maxAge">>().toExtend<Keys>();
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
