import { problems, RpcError } from "../rpc/error.ts";
import type { Route } from "./route.ts";

/** Whether the server is about to end. */
export interface ServerState {
  isDraining: boolean;
}

/**
 * `/healthz` says that the process runs, `/readyz` that calls can be served, too.
 *
 * @param checkReadiness tries what calls need of the storages, and throws if one cannot do it
 */
export function createHealth(checkReadiness: () => Promise<void>, server: ServerState): Route[] {
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

/** Not thrown: each probe of a shutdown that goes as planned would log an error. */
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
