import type { FoundGrant } from "../../storage/grants/grant-documents.ts";
import { waitFor } from "../../storage/leases/shared-work.ts";
import type { Call } from "../call.ts";
import { endRejected } from "../session/logout.ts";
import type { Session } from "../../storage/sessions/session.ts";
import type { Grant } from "./visit.ts";
import { createVisit } from "./create-visit.ts";
import { hasOldKey, type Obtained, type ShopGrants, type VisitingOwner } from "./shop-grants.ts";

/**
 * The grant of a call's visitor. Each use creates it, so that a call without one pays nothing.
 * All methods throw StorageUnavailableError; RpcError `session_ended` if the commerce system has ended the login; and any
 * error of the backend, which ends nothing.
 */
export class CallGrants {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /** The visitor's grant, renewed if it has expired. A guest without one gets none. */
  async find(): Promise<Grant | undefined> {
    const { services, session } = this.#call;
    if (services.grants === undefined || session.current === undefined) return undefined;
    const found = await services.grants.read(session.current);
    const isLoggedIn = session.current.record.user !== undefined;
    if (!isLoggedIn && found.state !== "active") return undefined;
    return this.#useOrChange(services.grants, found, undefined);
  }

  /**
   * The visitor's grant: begun if there is none, renewed if it has expired. Parallel calls on all servers get the same.
   * @param rejected a grant that the system has rejected before its time: it is renewed, unless another call has done
   * that
   * @returns `undefined` if the backend issues no grants to this visitor
   */
  async obtain({ rejected }: { readonly rejected?: Grant | undefined } = {}): Promise<
    Grant | undefined
  > {
    const { services, session } = this.#call;
    const { grants } = services;
    if (grants === undefined) return undefined;
    if (session.current !== undefined) {
      return this.#useOrChange(grants, await grants.read(session.current), rejected);
    }
    // A read begins no session.
    if (grants.port.begin === undefined || session.isReadOnly) return undefined;
    // Before the grant begins: a grant without a session would be lost.
    await session.work.write((record) => record);
    return this.#change(grants, rejected);
  }

  /** Begins another grant for this guest, in place of one that a login has used up. */
  async restart(): Promise<void> {
    const { grants } = this.#call.services;
    if (grants !== undefined) await this.#finish(grants.restart(this.#toOwner()));
  }

  /** Stores the grant that a login got, for the session that it began. Call it after `createUserBoundSession`. */
  async put(grant: Grant): Promise<void> {
    this.#use(grant);
    await this.#call.services.grants?.put(this.#toOwner(), grant);
  }

  async #useOrChange(
    grants: ShopGrants,
    found: FoundGrant,
    rejected: Grant | undefined,
  ): Promise<Grant | undefined> {
    const usable = grants.toUsable(found, rejected);
    if (usable !== undefined && !hasOldKey(found)) return this.#use(usable);
    return this.#change(grants, rejected);
  }

  #change(grants: ShopGrants, rejected: Grant | undefined): Promise<Grant | undefined> {
    return this.#finish(grants.change(this.#toOwner(), rejected));
  }

  async #finish(change: Promise<Obtained>): Promise<Grant | undefined> {
    const { session, signal } = this.#call;
    const obtained = await waitFor(change, signal);
    return obtained === "ended"
      ? endRejected(session)
      : obtained.grant && this.#use(obtained.grant);
  }

  #toOwner(): VisitingOwner {
    const call = this.#call;
    const session = call.session.current as Session;
    const basketKey = call.session.lists.nameOf("basket");
    return {
      session,
      basketKey,
      toVisit: (grant, signal) => {
        if (grant !== undefined) this.#use(grant);
        return createVisit(call, { grant, signal, toBasketKey: () => basketKey });
      },
    };
  }

  /** No log line and no error shows a grant. */
  #use(grant: Grant): Grant {
    this.#call.redactor.addSource(() => [grant]);
    return grant;
  }
}
