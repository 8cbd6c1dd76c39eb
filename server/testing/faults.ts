import { hookTests, type Step } from "../../rpc/commerce/test-hooks.ts";

/**
 * The fault of a request. `lose`: the system executes it, and its response is lost. `refuse`: it doesn't reach the
 * system. `fail`: a proxy responds with 503. `page`: a proxy responds with an HTML page.
 */
export type Fault = "lose" | "refuse" | "fail" | "page";

export const faults = ["lose", "refuse", "fail", "page"] as const satisfies readonly Fault[];

/** The faults of a test. */
export interface Disturbance {
  /** Chooses the fault of the next request. @param index counts the requests since the disturbance began */
  readonly request?: ((index: number) => Fault | undefined) | undefined;
  /** Whether the process crashes at a step. */
  readonly crash?: ((step: Step) => boolean) | undefined;
}

/** Runs work while requests fail and processes crash. @returns the number of requests */
export async function disturb(
  { request, crash }: Disturbance,
  work: () => Promise<void>,
): Promise<number> {
  let count = 0;
  const release = hookTests({
    onStep(step) {
      if (crash?.(step)) throw new Error(`The process crashed at the step "${step}"`);
    },
    send(input, init) {
      // Counted without `request`, too: the first run counts the requests.
      const index = count++;
      return send(input, init, request?.(index));
    },
  });
  try {
    await work();
  } finally {
    release();
  }
  return count;
}

/** A random generator that repeats its numbers for a seed (mulberry32). @returns a function for integers below `limit` */
export function createRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

// --- Internal helpers ---

async function send(
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
  fault: Fault | undefined,
): Promise<Response> {
  if (fault === undefined) return fetch(input, init);
  if (fault === "fail") return new Response("{}", { status: 503 });
  if (fault === "page") {
    return new Response("<h1>Maintenance</h1>", { headers: { "content-type": "text/html" } });
  }
  if (fault === "lose") {
    const response = await fetch(input, init);
    await response.arrayBuffer();
  }
  throw new TypeError("fetch failed", { cause: new Error(fault) });
}
