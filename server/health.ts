import type { Clock } from "../storage/clock.ts";
import { problems } from "../rpc/error.ts";
import type { StorefrontOptions } from "./config/options.ts";
import { toProblemType } from "./problem-type.ts";
import { toReasonPhrase } from "./reason-phrase.ts";
import type { PlainRoute } from "./router.ts";

/**
 * `/healthz` responds 200 if the process runs, `/readyz` if the server can handle calls.
 *
 * @param checkReadiness tries a read and a write on each storage, and throws if one fails
 * @param findUnavailable returns the names of the commerce systems that don't respond. The server stays ready: the other
 * servers don't reach them either
 */
export function createHealth(
  checkReadiness: () => Promise<void>,
  server: { readonly isDraining: boolean },
  findUnavailable: () => readonly string[],
  { problemTypes }: StorefrontOptions,
): PlainRoute[] {
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  const ok = (unavailable?: readonly string[]) => {
    const body = JSON.stringify({ status: "ok", unavailable });
    return new Response(body, { statusText: "OK", headers });
  };
  const isReady = async () => {
    if (server.isDraining) return draining(toProblemType("draining", problemTypes));
    await checkReadiness();
    const unavailable = findUnavailable();
    return ok(unavailable.length === 0 ? undefined : unavailable);
  };
  const answers = { "/healthz": () => ok(), "/readyz": isReady };
  return Object.entries(answers).map(([path, answer]) => ({
    path,
    allowsSlash: true,
    answer(event) {
      event.assertVerb("GET, HEAD");
      return answer();
    },
  }));
}

/**
 * Makes a check that runs once a second at most, for all callers, so that frequent calls of `/readyz` put no load on
 * the storages.
 */
export function createReadiness(check: () => Promise<void>, clock: Clock): () => Promise<void> {
  let known: Promise<void> | undefined;
  const forgetLater = () => void clock.setTimeout(() => (known = undefined), validity).unref();
  return function checkOnce() {
    if (known !== undefined) return known;
    known = check();
    known.then(forgetLater, forgetLater);
    return known;
  };
}

// --- Internal helpers ---

/** Milliseconds. */
const validity = 1000;

/** Returned and not thrown: otherwise each probe during a normal shutdown would log an error. */
function draining(type: string): Response {
  const [status, title] = problems.draining;
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store" };
  const body = { type, title, status, code: "draining" };
  return new Response(JSON.stringify(body), {
    status,
    statusText: toReasonPhrase(status),
    headers,
  });
}
