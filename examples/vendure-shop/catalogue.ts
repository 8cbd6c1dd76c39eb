import { defineCommerceMethod, RpcError, type Visit } from "storefront-core";
import * as z from "zod";

const variant = z.object({
  id: z.string(),
  name: z.string(),
  priceWithTax: z.number(),
  stockLevel: z.enum(["IN_STOCK", "LOW_STOCK", "OUT_OF_STOCK"]),
  options: z.array(z.object({ name: z.string() })),
});
const product = z.object({
  id: z.string(),
  name: z.string(),
  slug: z.string(),
  description: z.string(),
  facetValues: z.array(z.object({ name: z.string() })),
  variants: z.array(variant),
});
const fields = `id name slug description facetValues { name }
  variants { id name priceWithTax stockLevel options { name } }`;

export type Product = z.output<typeof product>;

/** Public reads of Vendure's products: each server queries Vendure once a minute for all of its visitors. */
export function createCatalogue({
  url,
  channel,
}: {
  readonly url: string;
  readonly channel: string;
}) {
  async function query<T>(visit: Visit, text: string, variables: object, result: z.ZodType<T>) {
    const response = await visit.fetch(`${url}?currencyCode=${visit.shop.currency}`, {
      method: "POST",
      headers: { "content-type": "application/json", "vendure-token": channel },
      body: JSON.stringify({ query: text, variables }),
    });
    return z.object({ data: result }).parse(await response.json()).data;
  }

  return {
    getProducts: defineCommerceMethod({
      access: "public",
      readOnly: true,
      handler: (_, visit, { cached }) =>
        cached("products", 60, async ({ tag }) => {
          tag("products");
          const list = z.object({ products: z.object({ items: z.array(product) }) });
          const text = `{ products(options: { take: 100 }) { items { ${fields} } } }`;
          return (await query(visit, text, {}, list)).products.items;
        }),
    }),

    getProduct: defineCommerceMethod({
      access: "public",
      readOnly: true,
      input: z.strictObject({ slug: z.string().max(100) }),
      handler: ({ slug }, visit, { cached }) =>
        cached(`product:${slug}`, 60, async ({ tag }) => {
          tag("products");
          const text = `query($slug: String!) { product(slug: $slug) { ${fields} } }`;
          const one = z.object({ product: product.nullable() });
          const found = (await query(visit, text, { slug }, one)).product;
          if (found === null) throw new RpcError("unknown_item");
          return found;
        }),
    }),
  };
}
