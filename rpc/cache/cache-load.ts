import type { Clock } from "../../storage/clock.ts";
import { RpcError } from "../error.ts";
import type { PublicShop } from "../shop.ts";
import { assertTags } from "./cache-arguments.ts";
import type { CommerceSystem } from "../commerce/commerce-system.ts";
import type { CacheSource } from "./cached.ts";

/**
 * Runs loads, each for a limited time.
 * @param limit seconds
 */
export function createCacheLoads(limit: number, clock: Clock) {
  const running = new Set<AbortController>();
  let isClosed = false;
  return {
    assertOpen,

    /**
     * @param send sends the requests of the load
     * @returns the result of the load, with the tags that it added
     * @throws RpcError `timeout`, `draining`; TypeError if the load adds too many tags; and any error of `load`
     */
    async run(
      shop: PublicShop,
      send: CommerceSystem["fetch"],
      load: (source: CacheSource) => unknown,
    ): Promise<{ readonly value: unknown; readonly tags: ReadonlySet<string> }> {
      assertOpen();
      const controller = new AbortController();
      running.add(controller);
      const giveUp = () => controller.abort(timeoutReason());
      const timer = clock.setTimeout(giveUp, limit * 1000);
      const tags = new Set<string>();
      try {
        const value = await within(controller.signal, async () =>
          load({
            shop,
            signal: controller.signal,
            fetch: (input, init) => send(input, init, controller.signal),
            tag(...added) {
              if (!running.has(controller)) throw new Error("tag() came after the end of the load");
              assertTags(added);
              for (const tag of added) tags.add(tag);
              if (tags.size > maxTags) {
                throw new TypeError(`A cached value has ${maxTags} tags at most`);
              }
            },
          }),
        );
        return { value, tags };
      } finally {
        timer.cancel();
        running.delete(controller);
      }
    },

    /** Aborts all loads. Later ones fail. */
    close(): void {
      isClosed = true;
      for (const controller of running) {
        controller.abort(new DOMException("The server closes", "AbortError"));
      }
    },
  };

  /** @throws RpcError `draining` after the end of the server */
  function assertOpen(): void {
    if (isClosed) throw new RpcError("draining");
  }
}

/**
 * Whether a load failed because time was up or somebody left, so that another caller should try again: its `load` can
 * have used the signal of the call that began it.
 */
export function isAbort(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { name, code } = error as { readonly name: string; readonly code?: unknown };
  return abortNames.has(name) || abortCodes.has(code);
}

// --- Internal helpers ---

const maxTags = 1000;

const abortNames = new Set(["AbortError", "TimeoutError", "CanceledError"]);
/** The codes of Node, of axios, and of our own errors. */
const abortCodes = new Set<unknown>(["ABORT_ERR", "ERR_CANCELED", "timeout", "client_gone"]);

function timeoutReason(): DOMException {
  return new DOMException("The load took too long", "TimeoutError");
}

/** Fails when the signal aborts, also if the work ignores the signal. */
function within<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => {
      const isTimeout = (signal.reason as DOMException).name === "TimeoutError";
      reject(new RpcError(isTimeout ? "timeout" : "draining", { cause: signal.reason }));
    });
    work().then(resolve, reject);
  });
}
