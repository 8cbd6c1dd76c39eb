import type { Clock } from "../../storage/clock.ts";
import type { DocumentStore } from "../../storage/documents/documents.ts";
import { Leases } from "../../storage/leases/leases.ts";
import { persist } from "../../storage/leases/persist.ts";
import { SharedWork, waitFor } from "../../storage/leases/shared-work.ts";
import type { SessionRecord } from "../../storage/sessions/session-record.ts";
import type { SessionStore } from "../../storage/sessions/session-store.ts";
import type { LoadedSession } from "../../storage/sessions/session.ts";

/** The tokens that a commerce system behind the storefront issued for the visitor. */
export interface SessionTokens {
  readonly accessToken: string;
  readonly refreshToken?: string | undefined;
  /** When the access token expires, in epoch milliseconds. */
  readonly expiresAt?: number | undefined;
}

/**
 * Gets new tokens: by a refresh token, or the first tokens of a guest.
 *
 * @param tokens those that the session has
 * @param signal aborts the request before another server may begin one. Don't abort it when the client leaves: a
 * rotated refresh token would be lost.
 * @returns `undefined` if the commerce system rejects the refresh token. A thrown error ends nothing.
 */
export type RenewTokens = (
  tokens: SessionTokens | undefined,
  signal: AbortSignal,
) => Promise<SessionTokens | undefined>;

/** Options of `obtainTokens`. */
export interface ObtainTokensOptions {
  /** Tokens that the system has rejected before their time: they are renewed, unless another call has done that. */
  readonly rejected?: SessionTokens | undefined;
}

/** How a call opens and seals the tokens of a record. */
export interface TokenSeal {
  open(record: SessionRecord): Promise<SessionTokens | undefined>;
  seal(tokens: SessionTokens, record: SessionRecord): Promise<string>;
}

/**
 * Renews the tokens of one shop's sessions: once for all parallel calls on all servers. A holder of the lease compares
 * and swaps the tokens in the session's record, so a server that was stopped can't replace newer tokens.
 * @throws from all methods: StorageUnavailableError; SessionEndedError; LeaseLostError; and any error of `renew`
 */
export class TokenRenewals {
  readonly #leases: Leases<never>;
  readonly #sessions: SessionStore;
  readonly #running = new SharedWork<LoadedSession | "rejected">();

  constructor(store: DocumentStore, sessions: SessionStore) {
    this.#leases = new Leases(store, `token-lease:${sessions.shopId}`, isNothing);
    this.#sessions = sessions;
  }

  /**
   * @param rejected the access token that the system has rejected before its time
   * @returns the session with the tokens, or `rejected` if there are none to be had
   */
  renew(
    session: LoadedSession,
    rejected: string | undefined,
    seal: TokenSeal,
    renew: RenewTokens,
  ): Promise<LoadedSession | "rejected"> {
    const { handle } = session.record;
    return this.#running.run(`${handle} ${rejected ?? ""}`, () =>
      this.#leases.withLease(
        handle,
        { seconds: leaseSeconds, signal: this.#sessions.clock.timeout(maxWait) },
        async (lease) => {
          // Not from the cache: the change of another server may not have arrived there yet.
          const current = await this.#sessions.reload(session);
          const tokens = await seal.open(current.record);
          if (isUsable(tokens, rejected, this.#sessions.clock)) return current;
          const signal = await lease.prove();
          const next = await waitFor(renew(tokens, signal), signal);
          if (next !== undefined) return this.#store(current, next, seal);
          // A guest has no login that could end.
          if (current.record.user === undefined) await this.#replace(current, undefined, undefined);
          return "rejected";
        },
      ),
    );
  }

  /** Not within the deadline of a call: tokens that were rotated must be stored. */
  async #store(
    session: LoadedSession,
    tokens: SessionTokens,
    seal: TokenSeal,
  ): Promise<LoadedSession> {
    const sealed = await seal.seal(tokens, session.record);
    const expiresAt = Number.isFinite(tokens.expiresAt) ? tokens.expiresAt : undefined;
    return persist(() => this.#replace(session, sealed, expiresAt));
  }

  #replace(
    session: LoadedSession,
    tokens: string | undefined,
    tokensExpireAt: number | undefined,
  ): Promise<LoadedSession> {
    const { record: base } = session;
    return this.#sessions.update(session, (record) => {
      if (record.tokens !== base.tokens) return record;
      const { tokenRenewals = 0 } = record;
      return { ...record, tokens, tokensExpireAt, tokenRenewals: tokenRenewals + 1 };
    });
  }
}

/** Whether tokens can be used for another second, and are not those that the system has rejected. */
export function isUsable(
  tokens: SessionTokens | undefined,
  rejected: string | undefined,
  clock: Clock,
): tokens is SessionTokens {
  if (tokens === undefined || tokens.accessToken === rejected) return false;
  return !(Number(tokens.expiresAt) <= clock.now() + leeway);
}

/** Seconds that a silent holder keeps the lease. A request may take four fifths of them. */
export const leaseSeconds = 10;

// --- Internal helpers ---

/** Milliseconds before their end from which tokens are renewed. */
const leeway = 1000;

/** Milliseconds that a renewal waits for its lease: several holders can crash, one after the other. */
const maxWait = 30_000;

function isNothing(value: unknown): value is never {
  return value === undefined;
}
