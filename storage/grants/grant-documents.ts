import type { Clock } from "../clock.ts";
import type { Collection, DocumentStore } from "../documents/documents.ts";
import type { Sealer } from "../documents/sealer.ts";
import { Leases } from "../leases/leases.ts";
import type { Lease } from "../leases/lease.ts";
import { isObject, type ShopUser } from "../sessions/session-record.ts";

/** The grant of one session, and the owner of the session. */
export interface SessionGrant {
  /** Any JSON. */
  readonly grant: unknown;
  readonly user?: ShopUser | undefined;
  /** The ID of a guest's session, which never changes. */
  readonly guestId?: string | undefined;
  readonly basketKey: string;
}

/**
 * The grant of a session as it was read. `none`: it has none yet. `ended`: it had one, and must not get another one.
 * `unreadable`: no key of this server can decrypt it.
 */
export type FoundGrant =
  | { readonly state: "none" | "ended" | "unreadable" }
  | (SessionGrant & { readonly state: "active"; readonly hasOldKey: boolean });

/** A grant under a lease: its holder alone changes it, on all servers. */
export interface GrantLease {
  readonly found: FoundGrant;
  /** Proves the lease: see {@link Lease.prove}. Call it before each request that changes something upstream. */
  prove(): Promise<AbortSignal>;
  /** Stores a grant. @param endsAt when the session ends at the latest, in epoch milliseconds */
  save(grant: SessionGrant, endsAt: number): Promise<void>;
  /** Removes the grant at the end of the lease. Its session gets no other one. */
  end(): void;
}

/**
 * The grants of one shop's sessions, each sealed in a document of its own that outlives its session by a day.
 * All methods throw StorageUnavailableError.
 */
export class GrantDocuments {
  readonly #leases: Leases<StoredGrant>;
  readonly #clock: Clock;
  readonly #shopId: number;
  readonly #sealer: Sealer;
  readonly #documents: Collection<object>;

  constructor(store: DocumentStore, shopId: number, sealer: Sealer) {
    const name = `commerce-grant:${shopId}`;
    this.#leases = new Leases(store, name, isStoredGrant);
    this.#clock = store.clock;
    this.#shopId = shopId;
    this.#sealer = sealer;
    this.#documents = store.collection(name, isObject);
  }

  /** Reads the grant of a session: one read. */
  async read(handle: string): Promise<FoundGrant> {
    return this.#open(handle, await this.#leases.read(handle));
  }

  /**
   * The same, and whether a call may be changing the grant right now. Also the time when the session ends at the
   * latest, from the grant's document (epoch milliseconds).
   */
  async peek(handle: string) {
    const { state, isHeld, expiresAt = 0 } = await this.#leases.peek(handle);
    const found = await this.#open(handle, state);
    return { found, isHeld, endsAt: expiresAt - dayMilliseconds };
  }

  /**
   * Runs work that alone may change the grant of a session. Others wait, and then see the changed grant.
   * @param signal ends the wait
   * @throws LeaseLostError
   */
  withLease<Result>(
    handle: string,
    signal: AbortSignal | undefined,
    work: (lease: GrantLease) => Promise<Result>,
  ): Promise<Result> {
    return this.#leases.withLease(handle, { seconds: leaseSeconds, signal }, async (lease) => {
      const found = await this.#open(handle, lease.state);
      return work(this.#toGrantLease(handle, lease, found));
    });
  }

  /** Keeps a grant as long as its session. @param endsAt when the session ends now, in epoch milliseconds */
  async extend(handle: string, endsAt: number): Promise<void> {
    const end = endsAt + dayMilliseconds;
    await this.#documents.update(handle, (current, { expiresAt = Infinity }) =>
      current === undefined || expiresAt >= end ? "keep" : { set: current, expiresAt: end },
    );
  }

  #toGrantLease(handle: string, lease: Lease<StoredGrant>, found: FoundGrant): GrantLease {
    return {
      found,
      prove: () => lease.prove(),
      save: async (grant, endsAt) => {
        const sealed = await this.#sealer.seal(JSON.stringify(grant), this.#contextOf(handle));
        await lease.save({ sealed }, endsAt + dayMilliseconds);
      },
      end: () => lease.leave({ sealed: "" }, this.#clock.now() + dayMilliseconds),
    };
  }

  async #open(handle: string, stored: StoredGrant | undefined): Promise<FoundGrant> {
    if (stored === undefined) return { state: "none" };
    if (stored.sealed === "") return { state: "ended" };
    const opened = await this.#sealer.unseal(stored.sealed, this.#contextOf(handle));
    if (opened === undefined) return { state: "unreadable" };
    const grant = JSON.parse(opened.text) as SessionGrant;
    return { ...grant, state: "active", hasOldKey: opened.hasOldKey };
  }

  #contextOf(handle: string): string {
    return `grant:${this.#shopId}:${handle}`;
  }
}

/** Whether a session has a grant, in a shop that the config may have lost. @throws StorageUnavailableError */
export async function hasGrant(
  store: DocumentStore,
  shopId: number,
  handle: string,
): Promise<boolean> {
  const { value } = await store.collection(`commerce-grant:${shopId}`, isObject).get(handle);
  return value !== undefined;
}

// --- Internal helpers ---

/** Longer than any request to a commerce system may take. */
const leaseSeconds = 10;

const dayMilliseconds = 86_400_000;

/** The state of a grant's lease. An empty string: the grant has ended. */
interface StoredGrant {
  readonly sealed: string;
}

function isStoredGrant(value: unknown): value is StoredGrant {
  return isObject(value) && typeof value["sealed"] === "string";
}
