import { RpcError } from "../rpc/error.ts";
import type { DocumentStore } from "../storage/documents.ts";
import type { Route } from "./route.ts";

/** `/healthz` says that the process runs, `/readyz` that its storages answer too. */
export function createHealth(stores: readonly DocumentStore[]): Route[] {
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
        await Promise.all(stores.map((store) => store.ping()));
        return ok();
      },
    },
  ];
}

// --- Internal helpers ---

function assertRead(verb: string): void {
  if (verb === "GET" || verb === "HEAD") return;
  throw new RpcError("wrong_verb", { headers: { allow: "GET, HEAD" } });
}
