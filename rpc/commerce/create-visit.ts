import type { Call } from "../call.ts";
import type { LoginVisit } from "./visit.ts";
import { toVisit, type Visitor } from "./visitor.ts";

/** Creates the visit of a call, for the functions of a commerce system and of `auth`. */
export function createVisit(call: Call, changes: Partial<Visitor> = {}): LoginVisit {
  const { log, ip, signal } = call;
  const user = call.hasSession ? call.session.user : undefined;
  const toBasketKey = () => call.session.lists.plannedKeyOf("basket");
  const visitor = { user, grant: undefined, toBasketKey, log, ip, signal };
  return toVisit(call.services, { ...visitor, ...changes });
}
