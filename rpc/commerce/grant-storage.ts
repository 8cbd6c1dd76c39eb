import type { Logger } from "../../shared/log.ts";
import type { DocumentStore } from "../../storage/documents/documents.ts";
import { createSealer } from "../../storage/documents/sealer.ts";
import { GrantDocuments } from "../../storage/grants/grant-documents.ts";
import { Leases } from "../../storage/leases/leases.ts";
import type { SessionGenerations } from "../../storage/sessions/generations.ts";
import type { SessionStore } from "../../storage/sessions/session-store.ts";
import { isBasketLog, type BasketLog } from "./basket-log.ts";
import type { CommerceBackend } from "./commerce-backend.ts";
import { GrantEndings } from "./grant-endings.ts";
import { GrantSweeper } from "./grant-sweeper.ts";
import { ShopGrants } from "./shop-grants.ts";

/** Opens the functions that end the grants of the sessions in one storage. */
export function openGrantEndings(
  store: DocumentStore,
  generations: SessionGenerations,
  log: Logger,
): { readonly endings: GrantEndings; readonly sweeper: GrantSweeper } | undefined {
  const endings = new GrantEndings(store, log);
  return { endings, sweeper: new GrantSweeper(store, endings, generations, log) };
}

/** The grants of a shop's visitors, if its commerce system issues any. */
export function openShopGrants(
  shop: {
    readonly shopId: number;
    readonly commerce: CommerceBackend | undefined;
    readonly encryptionKeys: readonly string[];
  },
  store: DocumentStore,
  endings: GrantEndings | undefined,
  sessions: SessionStore,
): ShopGrants | undefined {
  const { shopId, commerce, encryptionKeys } = shop;
  if (commerce?.grants === undefined || endings === undefined) return undefined;
  const sealer = createSealer(encryptionKeys, "commerce grants", store.random);
  const documents = new GrantDocuments(store, shopId, sealer);
  return new ShopGrants({ ...commerce, grants: commerce.grants }, documents, endings, sessions);
}

/** Opens the leases of a shop's baskets and wishlists. */
export function openBasketLeases(store: DocumentStore, shopId: number): Leases<BasketLog> {
  return new Leases(store, `commerce-basket:${shopId}`, isBasketLog);
}
