import { problems, RpcError } from "../rpc/error.ts";
import type { PlainRoute } from "./router.ts";

/** How far the server's shutdown is. */
export interface ServerState {
  isDraining: boolean;
  /** Whether the storages are closed, so that no request can be handled. */
  isClosed: boolean;
}

/**
 * `/healthz` responds 200 if the process runs, `/readyz` if the server can handle calls.
 *
 * @param checkReadiness tries a read and a write on each storage, and throws if one fails
 */
export function createHealth(
  checkReadiness: () => Promise<void>,
  server: ServerState,
): PlainRoute[] {
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  const ok = () => new Response('{"status":"ok"}', { headers });
  return [
    {
      path: "/healthz",
      allowsSlash: true,
      answer({ req }) {
        assertRead(req.method);
        return ok();
      },
    },
    {
      path: "/readyz",
      allowsSlash: true,
      async answer({ req }) {
        assertRead(req.method);
        if (server.isDraining) return draining();
        await checkReadiness();
        return ok();
      },
    },
  ];
}

// --- Internal helpers ---

/** Returned and not thrown: otherwise each probe during a normal shutdown would log an error. */
function draining(): Response {
  const [status, title] = problems.draining;
  const headers = { "content-type": "application/problem+json", "cache-control": "no-store" };
  const body = { type: "about:blank", title, status, code: "draining" };
  return new Response(JSON.stringify(body), { status, headers });
}

function assertRead(verb: string): void {
  if (verb === "GET" || verb === "HEAD") return;
  throw new RpcError("wrong_verb", { headers: { allow: "GET, HEAD" } });
}
