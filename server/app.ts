import { H3, type H3Event } from "h3";
import { createAccounts } from "../rpc/accounts.ts";
import type { ShopBackend } from "../rpc/backend.ts";
import { builtinMethods } from "../rpc/builtin.ts";
import { Call, type CallEnvironment } from "../rpc/call.ts";
import { dispatch, findMethod } from "../rpc/dispatch.ts";
import { RpcError } from "../rpc/error.ts";
import type { RpcMethod } from "../rpc/method.ts";
import { withDetails } from "../storage/log.ts";
import { openBackends, type Backends, type StoreDescription } from "./backends.ts";
import type { StorefrontConfig } from "./config.ts";
import { SessionCookie } from "./cookie.ts";
import { createHealth } from "./health.ts";
import type { Shop, StorefrontOptions } from "./options.ts";
import { assertOrigin } from "./origin.ts";
import { readPayload } from "./payload.ts";
import { toProblemResponse } from "./problem.ts";
import { resolveConfig } from "./resolve.ts";
import { findSession, toSetCookie } from "./session.ts";
import { ShopSelection } from "./shop-selection.ts";

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
  const options = resolveConfig(config, { production });
  const backends = openBackends(options);
  const calls = new Calls(options, backends);
  const app = new H3({ silent: true, onError: (error) => toProblemResponse(error, options.log) });
  app.all(`${options.basePath}/rpc/:method`, (event) => calls.answer(event));
  app.all(`/:shop${options.basePath}/rpc/:method`, (event) => calls.answer(event));
  app.mount("/", createHealth(backends.stores));
  return Object.assign(app, {
    options,
    stores: backends.descriptions,
    async close() {
      await Promise.all(backends.stores.map((store) => store.close()));
    },
  });
}

// --- Internal helpers ---

/** Answers calls: from a request to a method, and back. */
class Calls {
  readonly #options: StorefrontOptions;
  readonly #backends: Backends;
  readonly #environment: CallEnvironment;
  readonly #selection: ShopSelection;
  readonly #cookies: ReadonlyMap<Shop, SessionCookie>;

  constructor(options: StorefrontOptions, backends: Backends) {
    this.#options = options;
    this.#backends = backends;
    this.#selection = new ShopSelection(options);
    this.#cookies = new Map(options.shops.map((shop) => [shop, new SessionCookie(shop.session)]));
    this.#environment = {
      methods: { ...builtinMethods, ...options.methods },
      hooks: options.hooks,
      auth: options.auth ?? createAccounts(backends.accounts),
    };
  }

  async answer(event: H3Event): Promise<Response> {
    const { method: name = "", shop: path } = event.context.params ?? {};
    try {
      const method = findMethod(this.#environment.methods, name);
      if (method === undefined) throw new RpcError("unknown_method");
      assertVerb(event.req.method, method);
      assertOrigin(event);
      const payload = await readPayload(event, this.#options.maxBodySize);
      const shop = this.#selection.select(event, path);
      const call = this.#open(event, shop, name);
      return method.access === "public"
        ? toCacheable(event, toAnswer(await dispatch(call, name, payload)))
        : await this.#answerWithSession(event, shop, call, name, payload);
    } catch (error) {
      return toProblemResponse(error, this.#options.log);
    }
  }

  async #answerWithSession(
    event: H3Event,
    shop: Shop,
    call: Call,
    name: string,
    payload: unknown,
  ): Promise<Response> {
    const cookie = this.#cookies.get(shop) as SessionCookie;
    const presented = await findSession(event.req, cookie, call.backend.sessions);
    const session = call.openSession(presented.session);
    let response: Response;
    try {
      await session.completePendingMerge();
      response = toAnswer(await dispatch(call, name, payload));
      await session.commit();
    } catch (error) {
      response = toProblemResponse(error, call.log);
    }
    // Also where the call failed: a login or logout that came before stands.
    const isSecure = event.url.protocol === "https:";
    const setCookie = await toSetCookie(presented, session, cookie, shop.session, isSecure);
    if (setCookie !== undefined) response.headers.append("set-cookie", setCookie);
    return response;
  }

  #open(event: H3Event, shop: Shop, name: string): Call {
    const { req } = event;
    return new Call(
      this.#environment,
      this.#backends.shops.get(shop) as ShopBackend,
      { ip: req.ip, headers: req.headers, signal: req.signal },
      withDetails(this.#options.log, { shopId: shop.shopId, method: name }),
    );
  }
}

/** A method answers POST, and GET where its answer depends on no session and changes nothing. */
function assertVerb(verb: string, { access, readOnly }: RpcMethod): void {
  const verbs = access === "public" && readOnly ? ["GET", "HEAD", "POST"] : ["POST"];
  if (verbs.includes(verb)) return;
  throw new RpcError("wrong_verb", { headers: { allow: verbs.join(", ") } });
}

/** Every answer is JSON, strings too; nothing is 204. */
function toAnswer(value: unknown): Response {
  const headers = { "cache-control": "no-store" };
  const json = value === null ? undefined : JSON.stringify(value);
  if (json === undefined) return new Response(null, { status: 204, headers });
  return new Response(json, { headers: { ...headers, "content-type": "application/json" } });
}

/** Lets caches keep what a GET has answered; the shop may have come in a header. */
function toCacheable(event: H3Event, response: Response): Response {
  if (event.req.method !== "POST") {
    response.headers.set("cache-control", "public, max-age=60");
    response.headers.set("vary", "x-shop-id");
  }
  return response;
}
