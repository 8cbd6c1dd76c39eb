import { byDefault } from "../layers.ts";
import type { CorsConfig } from "./cors-keys.ts";
import { boolean, count, isListOf, text, value, type KeysOf } from "./key.ts";
import type { BasketConfig, WishlistConfig } from "./list-keys.ts";
import type { SessionConfig } from "./session-keys.ts";
import type { ShopStorageConfig } from "./storage-keys.ts";

/** One storefront. */
export interface ShopConfig {
  /** The shop's ID: calls name it in the header `x-shop-id`. */
  readonly shopId: number;
  /** The language tag (BCP 47), for example `de-DE`. */
  readonly locale: string;
  /** The currency code (ISO 4217), for example `EUR`. */
  readonly currency: string;
  /** Hosts of the shop, with a port or without: a name or a list. `*.shop.example` covers every host below `shop.example`. @default none */
  readonly host?: string | readonly string[] | undefined;
  /** The first segment of the shop's URLs, for `shopSelector`. @default none */
  readonly path?: string | undefined;
  /** Whether calls without a path belong to this shop, if `shopSelector` is `path_or_default`. @default the first shop */
  readonly isDefault?: boolean | undefined;
  /** Shops of one realm share customer accounts. @default "default" */
  readonly realm?: string | undefined;
  /** Overrides the global `session` key by key. */
  readonly session?: SessionConfig | undefined;
  /** Overrides the global `storage` key by key. */
  readonly storage?: ShopStorageConfig | undefined;
  /** Overrides the global `cors` key by key. */
  readonly cors?: CorsConfig | undefined;
  /** Overrides the global `basket` key by key. */
  readonly basket?: BasketConfig | undefined;
  /** Overrides the global `wishlist` key by key. */
  readonly wishlist?: WishlistConfig | undefined;
}

export const shopKeys = {
  shopId: { ...count(), isRequired: true },
  locale: {
    ...value<string>(isLocale, "a language tag, for example de-DE"),
    isRequired: true,
    visibility: "public",
  },
  currency: { ...text(/^[A-Z]{3}$/, "a currency code, for example EUR"), isRequired: true },
  host: {
    ...value<string | readonly string[]>(
      (found) =>
        isHost(found) || (Array.isArray(found) && found.length > 0 && isListOf(found, isHost)),
      "a host name in lower case, with or without a port, for example shop.example or *.shop.example; or a list",
    ),
    visibility: "public",
  },
  path: text(/^[A-Za-z0-9_-]+$/, "one segment of a path: letters, digits, - and _"),
  isDefault: {
    ...boolean,
    derive: (_, { isDefaultShop = false }) => byDefault(isDefaultShop),
  },
  realm: { ...text(/^.{1,64}$/s, "a name of 1 to 64 characters"), default: "default" },
} satisfies KeysOf<Omit<ShopConfig, "session" | "storage" | "cors" | "basket" | "wishlist">>;

// --- Internal helpers ---

function isHost(found: unknown): boolean {
  if (typeof found !== "string") return false;
  const isName = /^(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d{1,5})?$/.test(found);
  return isName && URL.canParse(`http://${found.replace("*.", "")}`);
}

function isLocale(found: unknown): boolean {
  try {
    return typeof found === "string" && Intl.getCanonicalLocales(found).length === 1;
  } catch {
    return false;
  }
}
