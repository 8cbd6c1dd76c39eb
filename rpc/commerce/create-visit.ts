import type { Call } from "../call.ts";
import type { LoginVisit } from "./visit.ts";

/** Creates the visit of a call, for the functions of a commerce system and of `auth`. */
export function createVisit(call: Call): LoginVisit {
  const { services, log, ip, signal } = call;
  const { shop, realm } = services;
  return {
    shop,
    realm: realm.name,
    user: call.user,
    grant: undefined,
    get basketKey() {
      return call.basketKey;
    },
    fetch: (input, init) => globalThis.fetch(input, { signal, ...init }),
    log,
    ip,
    signal,
    setGrant() {},
  };
}
