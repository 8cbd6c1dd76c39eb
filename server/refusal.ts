import { RpcError } from "../rpc/error.ts";
import type { ConfigError } from "./config-error.ts";
import type { Route } from "./route.ts";

/** Answers a request with 503; the log gets what is wrong with the config. */
export function refuse(refusal: ConfigError): never {
  throw new RpcError("misconfigured", { cause: refusal });
}

/** A route of a config that must not be served. The process itself is alive. */
export function withRefusal(route: Route, refusal: ConfigError): Route {
  return route.path === "/healthz" ? route : { ...route, answer: () => refuse(refusal) };
}
