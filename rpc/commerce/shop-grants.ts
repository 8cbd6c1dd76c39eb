import { assertStorable } from "../../storage/documents/stored-json.ts";
import { secondOf } from "../../storage/grants/due-list.ts";
import type {
  FoundGrant,
  GrantDocuments,
  GrantLease,
  SessionGrant,
} from "../../storage/grants/grant-documents.ts";
import { persist } from "../../storage/leases/persist.ts";
import { SharedWork, waitFor } from "../../storage/leases/shared-work.ts";
import { createHandle, type ShopUser } from "../../storage/sessions/session-record.ts";
import type { LoadedSession } from "../../storage/sessions/session.ts";
import { userOwnerKey } from "../lists/list-document.ts";
import type { SessionStore } from "../../storage/sessions/session-store.ts";
import type { CommerceBackend, Grants } from "./commerce-backend.ts";
import type { GrantEndings } from "./grant-endings.ts";
import { RpcError } from "../error.ts";
import { commerceUnavailable } from "./system-response.ts";
import type { Grant, GrantedVisit, Visit } from "./visit.ts";

/** The session that a grant belongs to, and the visits in which the backend begins and renews the grant. */
export interface GrantOwner {
  readonly session: LoadedSession;
  readonly basketKey: string;
  /** Creates the visit of one request. */
  readonly toVisit: (grant: Grant | undefined, signal: AbortSignal) => Visit;
}

/** The result of a change under a lease. `ended`: the commerce system has ended the grant, so the session must end. */
export type Obtained = { readonly grant: Grant | undefined } | "ended";

/**
 * The grants of one shop's sessions: begun once and renewed once, for all parallel calls on all servers.
 * All methods throw StorageUnavailableError, and any error of the backend.
 */
export class ShopGrants {
  readonly port: Grants<Grant>;
  readonly documents: GrantDocuments;
  readonly #hasAccounts: boolean;
  readonly #endings: GrantEndings;
  readonly #sessions: SessionStore;
  /** The changes in progress of this process, which its other calls join. */
  readonly #changes = new SharedWork<Obtained>();

  constructor(
    { grants, accounts }: CommerceBackend & { readonly grants: Grants<Grant> },
    documents: GrantDocuments,
    endings: GrantEndings,
    sessions: SessionStore,
  ) {
    this.port = grants;
    this.documents = documents;
    this.#hasAccounts = accounts !== undefined;
    this.#endings = endings;
    this.#sessions = sessions;
  }

  /** Reads the grant of a session: one read. */
  read({ record }: LoadedSession): Promise<FoundGrant> {
    this.#endings.onUse();
    return this.documents.read(record.handle);
  }

  /**
   * Begins or renews the grant of a session. It continues if the caller stops waiting: otherwise a renewed token would be
   * lost.
   * @param rejected the grant that the system has rejected before its time
   */
  change(owner: GrantOwner, rejected: Grant | undefined): Promise<Obtained> {
    const { handle } = owner.session.record;
    const name = rejected === undefined ? handle : `${handle} ${JSON.stringify(rejected)}`;
    return this.#changes.run(name, () =>
      this.#withLease(handle, (lease) => this.#changeUnder(lease, owner, rejected)),
    );
  }

  /** Begins another grant for a guest, because a login has used this one up: its basket is the user's by now. */
  restart(owner: GrantOwner): Promise<Obtained> {
    const { handle } = owner.session.record;
    return this.#changes.run(`${handle} restart`, () =>
      this.#withLease(handle, (lease) => this.#begin(lease, owner)),
    );
  }

  /** Stores the grant that a login or a change got. It replaces an earlier one. If the session has ended, it ends, too. */
  async put(owner: Omit<GrantOwner, "toVisit">, grant: Grant): Promise<void> {
    const { handle, user } = owner.session.record;
    const isStored = await this.#withLease(handle, async (lease) => {
      // A logout came first, and nothing would end this grant before the session would have expired.
      if (lease.found.state === "ended") return false;
      await this.#note(owner.session);
      await this.#save(lease, owner, grant);
      return true;
    });
    if (!isStored) await this.endUnused(grant, user);
  }

  /**
   * Ends a grant that no session has. It is stored like that of an ended session, so that the end is tried again if it
   * fails.
   * @param user whose grant it is. If the system can only end all logins of a user, it ends with the user's last session.
   */
  async endUnused(grant: Grant, user: ShopUser | undefined): Promise<void> {
    const { end, endsAll } = this.port;
    if (end === undefined || (endsAll && user === undefined)) return;
    const { shopId } = this.#sessions;
    const ending = { shopId, handle: createHandle(this.#sessions.random) };
    const owner = user === undefined ? { guestId: "" } : { user };
    const basketKey = user === undefined ? "" : userOwnerKey(shopId, user.id);
    await this.#withLease(ending.handle, (lease) =>
      lease.save({ grant, basketKey, ...owner }, this.#sessions.clock.now()),
    );
    await this.#endings.note([ending]);
    await this.#endings.finish([ending]);
  }

  /** Returns the stored grant if it is valid for another second, and the system hasn't rejected it. */
  toUsable(found: FoundGrant, rejected: Grant | undefined): Grant | undefined {
    if (found.state !== "active") return undefined;
    const grant = found.grant as Grant;
    const { expiresAt = Infinity } = grant;
    if (expiresAt <= this.#sessions.clock.now() + leeway) return undefined;
    return isSame(grant, rejected) ? undefined : grant;
  }

  /** Keeps the grant of a guest as long as the session, whose extension is due. A user's lasts long enough already. */
  async extend(session: LoadedSession): Promise<void> {
    const { user, handle } = session.record;
    if (user === undefined) await this.documents.extend(handle, this.#sessions.latestEnd(session));
  }

  /** @throws RpcError `commerce_unavailable` if other calls hold the lease for too long */
  async #withLease<T>(handle: string, work: (lease: GrantLease) => Promise<T>): Promise<T> {
    const signal = this.#sessions.clock.timeout(maxWait);
    return inTime(this.documents.withLease(handle, signal, work), signal);
  }

  async #changeUnder(
    lease: GrantLease,
    owner: GrantOwner,
    rejected: Grant | undefined,
  ): Promise<Obtained> {
    const { found } = lease;
    const usable = this.toUsable(found, rejected);
    // A key is being rotated out.
    if (usable !== undefined && hasOldKey(found)) await this.#save(lease, owner, usable);
    if (usable !== undefined) return { grant: usable };
    if (found.state === "active") {
      const visit = owner.toVisit(found.grant as Grant, await lease.prove()) as GrantedVisit;
      const renewed = this.port.renew && (await inTime(this.port.renew(visit), visit.signal));
      if (renewed !== undefined) return { grant: await this.#save(lease, owner, renewed) };
    }
    return this.#begin(lease, owner);
  }

  async #begin(lease: GrantLease, owner: GrantOwner): Promise<Obtained> {
    if (lease.found.state === "ended") return "ended";
    const isLoginOver =
      owner.session.record.user !== undefined &&
      (this.#hasAccounts || lease.found.state === "active");
    if (isLoginOver) {
      lease.end();
      return "ended";
    }
    if (this.port.begin === undefined) return { grant: undefined };
    const visit = owner.toVisit(undefined, await lease.prove());
    // Before the grant is stored, so that the sweep finds each stored grant.
    const begun = inTime(this.port.begin(visit), visit.signal);
    const [grant] = await Promise.all([begun, this.#note(owner.session)]);
    return { grant: await this.#save(lease, owner, grant) };
  }

  async #save(
    lease: GrantLease,
    { session, basketKey }: Omit<GrantOwner, "toVisit">,
    grant: Grant,
  ): Promise<Grant> {
    const text = toGrantText(grant);
    const { id, user } = session.record;
    const owner = user === undefined ? { guestId: id } : { user };
    const stored: SessionGrant = { grant, basketKey, ...owner };
    await persist(() => lease.save(stored, this.#sessions.latestEnd(session)));
    return JSON.parse(text) as Grant;
  }

  /** Notes when the session expires, unless the system has ended the grant by then. */
  async #note({ record, expiresAt }: LoadedSession): Promise<void> {
    const { end, lifetime = Infinity } = this.port;
    if (end === undefined || lifetime * 1000 <= expiresAt - this.#sessions.clock.now()) return;
    await this.#endings.due.add({
      shopId: this.#sessions.shopId,
      handle: record.handle,
      second: secondOf(expiresAt),
      isEnding: false,
    });
  }
}

/** Whether the grant must be sealed with the current key. */
export function hasOldKey(found: FoundGrant): boolean {
  return found.state === "active" && found.hasOldKey;
}

// --- Internal helpers ---

const maxBytes = 16_384;

/** @throws RpcError `commerce_unavailable` if the signal aborts first */
async function inTime<T>(requests: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await waitFor(requests, signal);
  } catch (error) {
    throw signal.aborted && !(error instanceof RpcError) ? commerceUnavailable(error) : error;
  }
}

function isSame(grant: Grant, other: Grant | undefined): boolean {
  return other !== undefined && JSON.stringify(grant) === JSON.stringify(other);
}

/** @throws TypeError, because the backend returned it */
function toGrantText(grant: unknown): string {
  if (typeof grant !== "object" || grant === null) {
    throw new TypeError(
      "A grant is an object of JSON values. Check what the commerce backend returns",
    );
  }
  assertStorable(grant, "The grant that the commerce backend returned");
  const text = JSON.stringify(grant);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) {
    throw new TypeError(
      `A grant takes ${bytes} bytes as JSON. Expected at most ${maxBytes}: keep only tokens and IDs in it`,
    );
  }
  return text;
}

/** Milliseconds before its end from which a grant is renewed. */
const leeway = 1000;

/** Milliseconds that a change waits for its lease: several holders can crash, one after the other. */
const maxWait = 30_000;
