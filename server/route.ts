import type { H3 } from "h3";
import { RpcError } from "../rpc/error.ts";
import { isExactPath } from "./exact-path.ts";
import type { Incoming } from "./request.ts";
import type { RequestGuard } from "./request-guard.ts";

/** A path of the storefront, and its handler for all HTTP methods. */
export interface Route {
  /** In h3's syntax. A request must match a route without parameters as text. */
  readonly path: string;
  /** Whether the path may end in a slash. @default false */
  readonly allowsSlash?: boolean;
  answer(
    incoming: Incoming,
    params: Readonly<Record<string, string>>,
  ): Response | Promise<Response>;
}

/** Adds routes to an app, each with its guard, so that the guards also apply if another app mounts this one. */
export function addRoutes(app: H3, guard: RequestGuard, routes: readonly Route[]): void {
  for (const { path, allowsSlash = false, answer } of routes) {
    const isPattern = /[:*]/.test(path);
    app.all(path, ({ req, context }) =>
      guard.handle(req, (incoming) => {
        const mounted = context.matchedRoute?.route ?? path;
        const isNamed = (ending: string) => isExactPath(req, path + ending, mounted + ending);
        const isExact = isPattern || isNamed("") || (allowsSlash && isNamed("/"));
        if (!isExact) throw new RpcError("unknown_path");
        return answer(incoming, context.params ?? {});
      }),
    );
  }
}
