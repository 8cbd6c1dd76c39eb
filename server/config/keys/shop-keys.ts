import { commerceKey } from "./commerce-key.ts";
import {
  boolean,
  byDefault,
  count,
  listOf,
  oneOf,
  text,
  value,
  type KeyTable,
} from "./config-key.ts";

export const shopKeys = {
  /** The shop's ID: calls name it in the header `x-shop-id`. */
  shopId: { ...count(), isRequired: true },
  /** The language tag (BCP 47), for example `de-DE`. */
  locale: {
    ...value<string>(isLocale, "a language tag, for example de-DE"),
    isRequired: true,
    visibility: "public",
  },
  /** The currency code (ISO 4217), for example `EUR`. */
  currency: { ...text(/^[A-Z]{3}$/, "a currency code, for example EUR"), isRequired: true },
  /** Hosts of the shop, with a port or without: a name or a list. `*.shop.example` covers every host below `shop.example`. @default none */
  host: {
    ...listOf<string | readonly string[]>(
      isHost,
      "a host name in lower case and in ASCII (xn--… for other letters), with or without a port, for example shop.example or *.shop.example; or a list",
      { isOther: isHost, least: 1 },
    ),
    visibility: "public",
  },
  /** The first segment of the shop's URLs, for `shopSelector`. @default none */
  path: text(/^[A-Za-z0-9_-]+$/, "one segment of a path: letters, digits, - and _"),
  /** Whether calls without a path belong to this shop, if `shopSelector` is `path_or_default`. @default the first shop */
  isDefault: {
    ...boolean,
    derive: (_, { isDefaultShop = false }) => byDefault(isDefaultShop),
  },
  /** Shops of one realm share customer accounts. @default "default" */
  realm: { ...text(/^.{1,64}$/s, "a name of 1 to 64 characters"), default: "default" },
  /** The shop's commerce system, instead of the global one: see docs/commerce.md. @default the global `commerce` */
  commerce: commerceKey,
} satisfies KeyTable;

export const basketKeys = {
  /** How a guest's basket merges into the user's at login. @default "merge" */
  mergeStrategy: {
    ...oneOf("merge", "useGuest", "useExisting", "useGuestIfExistingEmpty"),
    default: "merge",
  },
  /** The most items of a basket. @default 100 */
  maxItems: { ...count(), default: 100 },
  /** The largest quantity of an item. @default 1000 */
  maxQuantity: { ...count(), default: 1000 },
} satisfies KeyTable;

export const wishlistKeys = {
  /** The most items of a wishlist. @default 200 */
  maxItems: { ...count(), default: 200 },
} satisfies KeyTable;

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
