import { H3 } from "h3";
import type { ServerRequest } from "srvx";
import { createAdmin } from "./admin.ts";
import { openBackends, type StoreDescription } from "./backends.ts";
import { CallRoutes } from "./call-routes.ts";
import { Calls } from "./calls.ts";
import type { StorefrontConfig } from "./config.ts";
import { isOneOfSeveral } from "./environment.ts";
import { assertHeaderSize } from "./headers.ts";
import { createHealth } from "./health.ts";
import type { StorefrontOptions } from "./options.ts";
import { resolveConfig } from "./resolve.ts";

/** A storefront, ready to be served: an h3 app, with what was decided for it. */
export type Storefront = H3 & {
  readonly options: StorefrontOptions;
  /** The storages in use, and what they guarantee. */
  readonly stores: readonly StoreDescription[];
  /** Closes the storages; a driver object that came with the config is disposed too. */
  close(): Promise<void>;
};

/**
 * Puts a storefront together from its config.
 * @param production refuses what is fit for development only; by default as `NODE_ENV` says
 * @throws ConfigError with every fault of the config
 */
export function createStorefront(
  config: StorefrontConfig,
  { production = process.env["NODE_ENV"] === "production" }: { production?: boolean } = {},
): Storefront {
  const options = resolveConfig(config, { production, isOneOfSeveral: isOneOfSeveral() });
  const backends = openBackends(options);
  const calls = new Calls(options, backends);
  const routes = new CallRoutes(options);
  const app = new H3({
    silent: true,
    onRequest: assertHeaderSize,
    onError: (error, event) => calls.answerStray(error, event),
  });
  routes.addTo(app, (event, route) => calls.answer(event, route));
  app.mount("/", createHealth(backends.stores));
  app.mount("/", createAdmin(options, backends));
  const { fetch } = app;
  const ownRoutes = app["~routes"].length;
  // What a deployment adds afterwards stands before calls, or in their place.
  const isAsMade = () => app["~middleware"].length === 0 && app["~routes"].length === ownRoutes;
  return Object.assign(app, {
    fetch(request: ServerRequest): Response | Promise<Response> {
      // As `Host: x:99999` makes it: h3 fails on it before it can answer.
      if (!hasAddress(request)) return calls.answerUnaddressed(request);
      // h3 takes longer to find a method than the method takes.
      const route = isAsMade() ? routes.find(request) : undefined;
      return route === undefined ? fetch(request) : calls.answerDirectly(request, route);
    },
    options,
    stores: backends.descriptions,
    async close() {
      calls.close();
      await Promise.all(backends.stores.map((store) => store.close()));
    },
  });
}

// --- Internal helpers ---

/**
 * Hosts for which no URL need be parsed, which takes as long as finding the shop and the method: names that are
 * no number, and no Punycode, which may be wrong; and the address of this machine.
 */
const plainHost =
  /^(?:127\.0\.0\.1|(?!\S*xn--)(?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*)(?::[1-5]?\d{1,4})?$/i;

function hasAddress(request: Request): boolean {
  const { headers } = request;
  if (plainHost.test(headers.get("host") ?? "") && !headers.has("x-forwarded-host")) return true;
  try {
    // srvx may throw on it, too.
    return URL.canParse(request.url);
  } catch {
    return false;
  }
}
