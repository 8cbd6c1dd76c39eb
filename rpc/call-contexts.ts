import type { Call } from "./call.ts";
import type { BaseRpcContext, PublicRpcContext, RpcContext } from "./context.ts";
import { callRpc } from "./dispatch.ts";
import { changeBasket, changeWishlist, readBasket, readWishlist } from "./lists/context-lists.ts";
import { setResponseHeader } from "./response-headers.ts";
import { logIn } from "./session/login.ts";
import { destroySession } from "./session/logout.ts";

/** Creates the context of a public method. */
export function createPublicContext(call: Call): PublicRpcContext {
  return toContext<PublicRpcContext>(
    {
      [live]: (name) => call[name],
      shop: call.services.shop,
      callRpc: (name, payload) => callRpc(call, name, payload) as Promise<never>,
      cached: call.services.cache.cached,
      invalidate: call.services.cache.invalidate,
      setHeader: (name, value) => setResponseHeader(call.request, name, value),
    },
    publicGetters,
  );
}

/** Creates the context of a method with a session. */
export function createContext(call: Call): RpcContext {
  const { session } = call;
  return toContext<RpcContext>(
    {
      [live]: (name) => call[name],
      shop: call.services.shop,
      callRpc: (name, payload) => callRpc(call, name, payload) as Promise<never>,
      invalidate: call.services.cache.invalidate,
      setHeader: (name, value) => setResponseHeader(call.request, name, value),
      updateUser: (user) => session.updateUser(user),
      createUserBoundSession: (user, options) => logIn(session, user, options),
      destroySession: async () => {
        session.assertWritable();
        await destroySession(session);
      },
      destroySessionsForUserId: async (userId, sessionsToKeep) =>
        (await call.sessions.endAll(userId, sessionsToKeep)).ended,
      updateCustomData: (patch) => session.updateCustomData(patch),
      readTokens: () => session.tokens.read(),
      updateTokens: (tokens) => session.tokens.update(tokens),
      obtainTokens: (renew, options) => session.tokens.obtain(renew, options),
      readBasket: () => readBasket(call) as Promise<never>,
      changeBasket: (rule, condition) => changeBasket(call, rule, condition),
      readWishlist: () => readWishlist(call) as Promise<never>,
      changeWishlist: (rule) => changeWishlist(call, rule),
    },
    sessionGetters,
  );
}

// --- Internal helpers ---

/**
 * The property that links a context, and each context that `with` makes of it, to its call. It is a function, so that
 * no property of a context leads to a secret.
 */
const live = Symbol("live values");

const publicGetters = toGetters("ip", "log", "headers", "signal");
const sessionGetters = [
  ...publicGetters,
  ...toGetters("sessionId", "user", "customData", "basketKey", "wishlistKey", "sessions", "auth"),
];

/** All contexts share these getters. With getters of its own, each context would have a hidden class of its own. */
function toGetters(...names: readonly (keyof Call)[]) {
  return names.map((name) => {
    const get = function (this: { readonly [live]: (name: keyof Call) => unknown }) {
      return this[live](name);
    };
    return { name, descriptor: { get, enumerable: true, configurable: true } };
  });
}

function toContext<Context extends BaseRpcContext>(
  fields: Omit<Context, keyof Call | "with"> & {
    readonly [live]: (name: keyof Call) => unknown;
  },
  getters: ReturnType<typeof toGetters>,
): Context {
  for (const { name, descriptor } of getters) Object.defineProperty(fields, name, descriptor);
  return withExtension(fields as unknown as Context);
}

/** Adds `with` to a context: it copies getters, not their values. */
function withExtension<Context extends object>(context: Context): Context {
  const extend = (extra: object) => {
    const properties = {
      ...Object.getOwnPropertyDescriptors(context),
      ...Object.getOwnPropertyDescriptors(extra),
    };
    return withExtension(Object.create(Object.prototype, properties) as object);
  };
  return Object.assign(context, { with: extend });
}
