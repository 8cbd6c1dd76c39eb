import { createStorefront } from "../../../server/storefront.ts";
import type { StorefrontConfig } from "../../../server/config/config.ts";
import { testConfig } from "../../_setup.ts";

/** The parts of a document that tests read. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    readonly responses: Readonly<Record<string, { readonly description: string }>>;
    readonly parameters: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    readonly securitySchemes: unknown;
  };
}

export interface Operation {
  readonly operationId: string;
  readonly security: readonly unknown[];
  readonly parameters: readonly Readonly<Record<string, unknown>>[];
  readonly requestBody?: { readonly required: boolean };
  readonly responses: Readonly<Record<string, unknown>>;
}

/** Requests a document of a storefront in memory. */
export async function requestDocument(
  config: Partial<StorefrontConfig> = {},
  { path = "/de/api/openapi.json", production = false, headers = {} } = {},
) {
  const storefront = createStorefront(testConfig({ log: silent, ...config }), { production });
  const response = await storefront.fetch(
    new Request(`http://localhost${path}`, { headers: { ...headers } }),
  );
  const { status } = response;
  const document = (await response.json()) as OpenApiDocument;
  await storefront.close();
  return { status, document };
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };
