import type { Call } from "../call.ts";
import { createVisit } from "../commerce/create-visit.ts";
import type { LoginVisit } from "../commerce/visit.ts";

/**
 * Creates the visit of a login that only checks a password. The commerce system doesn't see the grant of the session, or
 * it could replace that grant. The session doesn't get the grant of this login.
 */
export function createCheckVisit(call: Call): LoginVisit {
  return createVisit(call, { grant: undefined });
}
