import type { Call } from "../call.ts";
import { createVisit } from "../commerce/create-visit.ts";
import type { LoginVisit } from "../commerce/visit.ts";

/**
 * Creates the visit of a login that only checks a password. The commerce system doesn't see the grant of the session, or
 * it could replace that grant. The session doesn't get the grant of this login.
 */
export function createCheckVisit(call: Call): LoginVisit {
  // An own object would read `basketKey`, which begins a guest's session.
  return Object.create(createVisit(call), {
    grant: { value: undefined, enumerable: true },
    setGrant: { value: () => {}, enumerable: true },
  }) as LoginVisit;
}
