import type { RpcMethods } from "../../rpc/method.ts";
import type { ShopServices } from "../../rpc/shop-services.ts";
import type { Shop, StorefrontOptions } from "../config/options.ts";
import type { Credentials } from "../credentials/credentials.ts";
import type { SessionTransport } from "../credentials/transport.ts";
import { browserUrlOf } from "../page-visit.ts";
import type { RequestEvent } from "../request.ts";
import type { JsonSchema } from "./json-schema.ts";
import { ShopResolver, type PlainRoute } from "../router.ts";

/** The facts that a document depends on. */
export interface DocumentSource {
  readonly shop: Shop;
  readonly methods: RpcMethods;
  /** The transports that the shop enables. */
  readonly transports: readonly SessionTransport[];
  /** The path of the methods, below which each operation's path is. */
  readonly serverUrl: string;
  /** Whether calls must name the shop in the header `x-shop-id`, because the URL names none. */
  readonly needsShopHeader: boolean;
}

/**
 * Creates the routes of the OpenAPI documents if the config enables them: `GET <basePath>/openapi.json`, also below the
 * path of each shop. The first request of a document loads the code for it.
 */
export function createOpenApi(
  options: StorefrontOptions,
  { shops }: { readonly shops: ReadonlyMap<Shop, ShopServices> },
  credentials: Credentials,
): PlainRoute[] {
  if (!options.openApi) return [];
  const resolver = new ShopResolver(options);
  const documents = new Map<string, Promise<JsonSchema>>();

  async function answer(event: RequestEvent, shopPath: string | undefined): Promise<Response> {
    event.assertVerb("GET, HEAD");
    const path = toPath(options, shopPath);
    const shop = resolver.find(event, shopPath);
    const needsShopHeader = resolver.findByUrl(event, shopPath) !== shop;
    const key = `${shop.shopId} ${shopPath ?? ""} ${needsShopHeader}`;
    let document = documents.get(key);
    if (document === undefined) {
      const { methods } = shops.get(shop) as ShopServices;
      const transports = credentials.enabled.get(shop) ?? [];
      const serverUrl = toServerUrl(path);
      const source = { shop, methods, transports, serverUrl, needsShopHeader };
      document = import("#openapi").then(({ createDocument }) => createDocument(source));
      documents.set(key, document);
    }
    const { pathname } = browserUrlOf(event.req);
    // With the prefix of a mount. A client can choose it, for example for `/:tenant`, so it isn't part of the key.
    const url = toServerUrl(pathname.endsWith(path) ? pathname : path);
    const text = JSON.stringify({ ...(await document), servers: [{ url }] });
    const headers = { "content-type": "application/json", "cache-control": "no-store" };
    return new Response(text, { statusText: "OK", headers });
  }

  const paths = new Set([undefined, ...options.shops.map((shop) => shop.public.path)]);
  return [...paths].map((shopPath) => ({
    path: toPath(options, shopPath),
    answer: (event) => answer(event, shopPath),
  }));
}

// --- Internal helpers ---

const fileName = "/openapi.json";

function toPath({ basePath }: StorefrontOptions, shopPath: string | undefined): string {
  return `${shopPath === undefined ? "" : `/${shopPath}`}${basePath}${fileName}`;
}

function toServerUrl(path: string): string {
  return path.slice(0, -fileName.length);
}
