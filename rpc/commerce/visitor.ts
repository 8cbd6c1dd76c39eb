import type { Logger } from "../../shared/log.ts";
import type { ShopUser } from "../../storage/sessions/session-record.ts";
import type { Call } from "../call.ts";
import type { CallSession } from "../session/call-session.ts";
import type { ShopServices } from "../shop-services.ts";
import type { Grant, LoginVisit } from "./visit.ts";

/** The parts of a visit that differ between calls. */
export interface Visitor {
  readonly user: ShopUser | undefined;
  readonly grant: Grant | undefined;
  /** The key of the visitor's basket; called at the first read. */
  readonly toBasketKey: () => string;
  readonly log: Logger;
  readonly ip: string | undefined;
  /** Aborts the requests to the commerce system. */
  readonly signal: AbortSignal;
  readonly setGrant?: ((grant: Grant) => void) | undefined;
  /** Default: requests within the timeout of the commerce system, which `signal` aborts. */
  readonly fetch?: typeof fetch | undefined;
}

/** Creates a visit, also without a call: for example for a session that has ended. */
export function toVisit({ shop, realm, system }: ShopServices, visitor: Visitor): LoginVisit {
  const { user, grant, toBasketKey, log, ip, signal, setGrant = () => {} } = visitor;
  const send: typeof fetch = (input, init) =>
    system === undefined
      ? globalThis.fetch(input, { signal, ...init })
      : system.fetch(input, init, signal);
  return {
    shop,
    realm: realm.name,
    user,
    grant,
    get basketKey() {
      return toBasketKey();
    },
    fetch: visitor.fetch ?? send,
    log,
    ip,
    signal,
    setGrant,
  };
}

/** Creates the visit of a call with a session, for the functions of a commerce system and of `auth`. */
export function createVisit(session: CallSession, changes: Partial<Visitor> = {}): LoginVisit {
  const { user, services } = session;
  const { log, ip, signal } = session.call;
  const toBasketKey = () => session.lists.plannedKeyOf("basket");
  const visitor = { user, grant: undefined, toBasketKey, log, ip, signal };
  return toVisit(services, { ...visitor, ...changes });
}

/** Creates the visit of a call without a session. */
export function createPublicVisit({ services, log, ip, signal }: Call): LoginVisit {
  const toBasketKey = failWithoutSession;
  return toVisit(services, { user: undefined, grant: undefined, toBasketKey, log, ip, signal });
}

// --- Internal helpers ---

function failWithoutSession(): never {
  throw new Error('A public method can\'t use the session. Set access to "session" or "user".');
}
