import { expectTypeOf, test } from "vitest";
import { defineRpcMethod, type PublicRpcContext, type RpcContext } from "../../../server/index.ts";

interface Product {
  id: number;
  releasedAt: Date;
  variants: { sku: string; hidden?: undefined }[];
}

test("a cached value has its type after JSON, deeply readonly", () => {
  defineRpcMethod({
    access: "public",
    async handler(_, { cached }) {
      const product = await cached("a", 60, async (): Promise<Product> => {
        throw new Error("Not in this test");
      });
      expectTypeOf(product.releasedAt).toEqualTypeOf<string>();
      expectTypeOf(product.variants[0]?.sku).toEqualTypeOf<string | undefined>();
      // @ts-expect-error -- callers share the value
      product.id = 1;
      // @ts-expect-error -- callers share the value
      product.variants.push({ sku: "a" });
      const maybe = await cached("b", 60, (): { a: number } | undefined => undefined);
      expectTypeOf(maybe).toEqualTypeOf<{ readonly a: number } | undefined>();
      expectTypeOf(await cached("c", 60, () => "text" as string | null)).toEqualTypeOf<
        string | null
      >();
      expectTypeOf(await cached("d", 60, (): unknown => 1)).toEqualTypeOf<unknown>();
    },
  });
});

test("only public methods have the cache, and all of them can invalidate", () => {
  expectTypeOf<"cached">().toExtend<keyof PublicRpcContext>();
  expectTypeOf<keyof RpcContext & "cached">().toEqualTypeOf<never>();
  expectTypeOf<RpcContext["invalidate"]>().toEqualTypeOf<PublicRpcContext["invalidate"]>();
  defineRpcMethod({
    access: "user",
    // @ts-expect-error -- a value that depends on a login can't be cached
    handler: (_, { cached }) => cached,
  });
});
