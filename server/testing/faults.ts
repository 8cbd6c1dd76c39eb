import { hookTests, type Step } from "../../rpc/commerce/test-hooks.ts";

/**
 * All faults of a request. `lose`: the system executes it, and its response is lost. `refuse`: it doesn't reach the
 * system. `fail`: a proxy responds with 503. `page`: a proxy responds with an HTML page.
 */
export const faults = ["lose", "refuse", "fail", "page"] as const;

/** The faults of a test. */
export interface Disturbance {
  /** Chooses the fault of the next request. @param index counts the requests since the disturbance began */
  readonly request?: ((index: number) => (typeof faults)[number] | undefined) | undefined;
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

// --- Internal helpers ---

async function send(
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
  fault: (typeof faults)[number] | undefined,
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
