import type { LoginVisit } from "../rpc/commerce/visit.ts";
import { createTestLog } from "../server/testing/test-log.ts";

/** The visit of a guest, for tests of accounts without a server. */
export function createTestVisit(fields: Partial<LoginVisit> = {}): LoginVisit {
  return {
    shop: { shopId: 1, locale: "en-GB", currency: "GBP" },
    realm: "default",
    user: undefined,
    grant: undefined,
    basketKey: "basket",
    fetch,
    log: createTestLog().log,
    ip: undefined,
    signal: new AbortController().signal,
    setGrant() {},
    ...fields,
  };
}
