import { H3 } from "h3";
import type { ServerRequest } from "srvx";
import { createAdmin } from "./admin.ts";
import { openBackends, type StoreDescription } from "./services.ts";
import { CallRoutes, type CallRoute } from "./router.ts";
import { Calls } from "./rpc-handler.ts";
import type { StorefrontConfig } from "./config/config.ts";
import { Cors } from "./cors.ts";
import { Credentials } from "./credentials/credentials.ts";
import { isOneOfSeveral } from "./config/environment.ts";
import { createHealth } from "./health.ts";
import type { Incoming } from "./request.ts";
import type { StorefrontOptions } from "./config/options.ts";
import { createReadiness } from "./readiness.ts";
import { refuse, withRefusal } from "./refusal.ts";
import { RequestGuard } from "./request-guard.ts";
import { resolveConfig } from "./config/resolve.ts";
import { addRoutes } from "./route.ts";
import { createProxyTrust } from "./trusted-proxies.ts";

/** A storefront, ready to be served: an h3 app, with what was decided for it. */
export type Storefront = H3 & {
  readonly options: StorefrontOptions;
  /** The storages in use, and what they guarantee. */
  readonly stores: readonly StoreDescription[];
  /**
   * Tries a read and a write on each storage, as calls do. `/readyz` does so once a second at most.
   * @throws StorageUnavailableError
   */
  checkStorages(): Promise<void>;
  /** Makes `/readyz` respond 503 `draining` from now on, so that load balancers stop sending calls. */
  drain(): void;
  /**
   * Ends everything that the storefront has started: timers, caches, and storages, also those that came as driver
   * objects. Close your own server first: later calls get 503 `draining`.
   */
  close(): Promise<void>;
};

/**
 * Puts a storefront together from its config.
 * @param production refuses what is fit for development only; by default as `NODE_ENV` says
 * If production rejects a storage, this does not throw, because a bundler must be able to load the module. The
 * error is in `options.refusal`, and each call gets 503.
 * @throws ConfigError with every other error of the config
 */
export function createStorefront(
  config: StorefrontConfig,
  { production = process.env["NODE_ENV"] === "production" }: { production?: boolean } = {},
): Storefront {
  const options = resolveConfig(config, { production, isOneOfSeveral: isOneOfSeveral() });
  const backends = openBackends(options);
  const credentials = new Credentials(options);
  const cors = new Cors({ ...options, isDevelopment: !production }, credentials);
  const trusts = createProxyTrust(options.trustProxy);
  const guard = new RequestGuard(trusts, cors, credentials, options.log);
  const calls = new Calls(options, backends, { cors, credentials });
  const routes = new CallRoutes(options);
  const app = new H3({
    silent: true,
    onError: (error, event) => guard.handle(event.req, () => Promise.reject(error)),
  });
  const state = { isDraining: false };
  const checkStorages = async () => {
    await Promise.all(backends.stores.map((store) => store.ping()));
  };
  const { refusal } = options;
  const answer = (incoming: Incoming, route: CallRoute) =>
    refusal === undefined ? calls.answer(incoming, route) : refuse(refusal);
  const others = [
    ...createHealth(createReadiness(checkStorages), state),
    ...createAdmin(options, backends),
  ];
  addRoutes(app, guard, [
    ...routes.list(answer),
    ...(refusal === undefined ? others : others.map((route) => withRefusal(route, refusal))),
  ]);
  const { fetch } = app;
  const ownRoutes = app["~routes"].length;
  // What a deployment adds afterwards stands before calls, or in their place.
  const isAsMade = () => app["~middleware"].length === 0 && app["~routes"].length === ownRoutes;
  return Object.assign(app, {
    fetch(request: ServerRequest): Response | Promise<Response> {
      // h3 takes longer to find a method than the method takes.
      const route = isAsMade() ? routes.find(request) : undefined;
      if (route !== undefined) {
        return guard.handle(request, (incoming) => answer(incoming, route));
      }
      // h3 itself fails without a URL, and on a thrown value that cannot be read, such as a revoked proxy.
      return guard.handle(request, () => fetch(request));
    },
    options,
    stores: backends.descriptions,
    checkStorages,
    drain() {
      state.isDraining = true;
    },
    async close() {
      state.isDraining = true;
      guard.close();
      calls.close();
      await Promise.all(backends.stores.map((store) => store.close()));
    },
  });
}
