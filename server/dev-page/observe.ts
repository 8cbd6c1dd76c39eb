import { describeError } from "../../shared/log.ts";
import type { ShopServices } from "../../rpc/shop-services.ts";
import { viewBasket } from "../../rpc/lists/basket.ts";
import { userOwnerKey } from "../../rpc/lists/list-document.ts";
import { viewWishlist } from "../../rpc/lists/wishlist.ts";
import type { ListKind } from "../../storage/sessions/list-kind.ts";
import type { SessionRecord } from "../../storage/sessions/session-record.ts";
import type { LoadedSession } from "../../storage/sessions/session.ts";
import type { SessionTransport } from "../credentials/transport.ts";
import { findSession } from "../credentials/lookup.ts";
import { mask } from "./masks.ts";

/** A visitor's session, basket, and wishlist in one shop, as the server sees them. Dates are epoch milliseconds. */
export interface Observation {
  /** `replaced`, `ended`: a moment ago, so the server still knows it. `unknown`: the storage failed. */
  readonly session:
    | { readonly state: "none" | "replaced" | "ended" }
    | { readonly state: "unknown"; readonly reason: string }
    | ReturnType<typeof describeSession>;
  readonly basket: unknown;
  readonly wishlist: unknown;
}

/**
 * Reads the state of a visitor, without a call: it extends no session, and runs no method or hook.
 * @param headers the credentials that the visitor's next call would have
 */
export async function observe(
  services: ShopServices,
  transports: readonly SessionTransport[],
  headers: Headers,
): Promise<Observation> {
  try {
    const lookup = await findSession(headers, transports, services.sessions);
    const { session, gone } = lookup;
    if (session === undefined) {
      const state = gone === undefined ? "none" : gone === "retired" ? "replaced" : "ended";
      return { session: { state }, basket: null, wishlist: null };
    }
    const [basket, wishlist] = await Promise.all([
      observeList(services, session.record, "basket"),
      observeList(services, session.record, "wishlist"),
    ]);
    const shown = describeSession(session, lookup.transport?.name);
    return toJson({ session: shown, basket, wishlist });
  } catch (error) {
    const session = { state: "unknown", reason: describeError(error) } as const;
    return { session, basket: null, wishlist: null };
  }
}

// --- Internal helpers ---

function describeSession(
  { record, expiresAt, snapshot }: LoadedSession,
  transport: string | undefined,
) {
  const { id, handle, user, customData, createdAt, lastSeenAt } = record;
  return {
    state: "active" as const,
    /** The beginning of the ID's random part: it changes at a login. */
    id: mask(id.slice(id.lastIndexOf(":") + 1)),
    handle,
    user,
    customData,
    transport,
    createdAt,
    /** Absent until the session is extended for the first time. */
    lastSeenAt,
    authenticatedAt: user === undefined ? undefined : (record.authenticatedAt ?? createdAt),
    expiresAt,
    /** Names the stored version of the record: it changes with each write. */
    revision: snapshot.version,
    /** Whether the session has tokens of a commerce system, which nothing shows. */
    hasTokens: record.tokens === undefined ? undefined : (true as const),
    mergePending: record.mergePending ? (true as const) : undefined,
  };
}

async function observeList(
  services: ShopServices,
  { user, belongings }: SessionRecord,
  kind: ListKind,
): Promise<unknown> {
  const { commerce, shop } = services;
  if (commerce?.[kind === "basket" ? "baskets" : "wishlists"] !== undefined) {
    return { storedIn: commerce.name };
  }
  const key = user === undefined ? belongings?.[kind] : userOwnerKey(shop.shopId, user.id);
  if (key === undefined) return null;
  if (kind === "wishlist") {
    const { value } = await services.wishlists.get(key);
    return value === undefined ? null : viewWishlist(key, value);
  }
  const { value } = await services.baskets.get(key);
  return value === undefined ? null : viewBasket(key, value).basket;
}

/** A copy without `undefined` and getters, as the page will get it. */
function toJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
