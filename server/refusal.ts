import { RpcError } from "../rpc/error.ts";
import type { ConfigError } from "./config/config-error.ts";
import type { Route } from "./route.ts";

/** Responds 503, and logs the error of the config. */
export function refuse(refusal: ConfigError): never {
  throw new RpcError("misconfigured", { cause: refusal });
}

/** The route of a rejected config. Health checks of the process still succeed. */
export function withRefusal(route: Route, refusal: ConfigError): Route {
  return route.path === "/healthz" ? route : { ...route, answer: () => refuse(refusal) };
}
