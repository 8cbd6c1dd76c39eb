import type { Clock } from "../../storage/clock.ts";
import { LeaseLostError, type Lease } from "../../storage/leases/lease.ts";
import type { CallSession } from "../session/call-session.ts";
import type { ShopServices } from "../shop-services.ts";
import { emptyLog, type BasketLog } from "./basket-log.ts";
import type { CommerceSystem } from "./commerce-system.ts";
import { commerceUnavailable } from "./system-response.ts";

/** The lease of one basket, held by one call: its log, and requests to the system that prove the lease first. */
export interface BasketLease {
  readonly log: BasketLog;
  /**
   * Stores the log, and proves the lease.
   * @param expiresAt when the log may be forgotten (epoch milliseconds). Default: after a day
   */
  save(log: BasketLog, expiresAt?: number): Promise<void>;
  /** Sets the log that the end of the lease stores, unless the work fails. */
  leave(log: BasketLog): void;
  /** Sends a request to the system, as `visit.fetch` does. It aborts before another holder can take over. */
  readonly fetch: typeof fetch;
}

/**
 * Runs a change of a basket while no other call changes it, on any server.
 * @throws RpcError `commerce_unavailable` if another server took over, because this one was silent for too long; and
 * any error of `work`
 */
export async function withBasketLease<Result>(
  { services, call: { signal } }: CallSession,
  key: string,
  work: (lease: BasketLease) => Promise<Result>,
): Promise<Result> {
  const { system, leases } = servicesOf(services);
  // While the system is down, a wait for another call would not help.
  system.assertUp();
  const seconds = Math.max(1, 2 * system.timeout);
  try {
    return await leases.withLease(key, { seconds, signal }, (lease) =>
      work(createLease(lease, { system, clock: services.clock }, seconds, signal)),
    );
  } catch (error) {
    throw error instanceof LeaseLostError ? commerceUnavailable(error) : error;
  }
}

// --- Internal helpers ---

/** The parts that only shops with a commerce system have. @throws Error if the shop has none */
function servicesOf({ system, basketLeases, shop }: ShopServices) {
  if (system === undefined || basketLeases === undefined) {
    throw new Error(`The shop ${shop.shopId} has no commerce system. Set its key commerce.`);
  }
  return { system, leases: basketLeases };
}

function createLease(
  lease: Lease<BasketLog>,
  { system, clock }: { readonly system: CommerceSystem; readonly clock: Clock },
  seconds: number,
  signal: AbortSignal,
): BasketLease {
  let log = lease.state ?? emptyLog;
  let proof: AbortSignal | undefined;
  let provenUntil = 0;

  async function prove(write: () => Promise<AbortSignal>): Promise<AbortSignal> {
    // A proof is valid for four fifths of the lease, from the start of its write. The request timeout is part of it.
    const validity = (seconds * 0.8 - system.timeout) * 1000;
    const start = clock.monotonic();
    proof = await write();
    provenUntil = start + validity;
    return proof;
  }

  return {
    get log() {
      return log;
    },
    async save(next, expiresAt) {
      await prove(() => lease.save(next, expiresAt));
      log = next;
    },
    leave(next) {
      log = next;
      lease.leave(next);
    },
    async fetch(input, init) {
      const isProven = proof !== undefined && clock.monotonic() < provenUntil;
      const valid = isProven && proof !== undefined ? proof : await prove(() => lease.prove());
      try {
        return await system.fetch(input, init, valid);
      } catch (error) {
        throw valid.aborted && !signal.aborted ? commerceUnavailable(error) : error;
      }
    },
  };
}
