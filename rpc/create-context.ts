import { createContextAuth, type ContextAuth } from "./accounts/context-auth.ts";
import type { Call } from "./call.ts";
import { changeBasket, changeWishlist, readBasket, readWishlist } from "./lists/visitor-lists.ts";
import { createContextSessions, type ContextSessions } from "./context-sessions.ts";
import type { PublicRpcContext, RpcContext } from "./context.ts";
import { callRpc } from "./dispatch.ts";
import { logIn } from "./session/login.ts";
import { destroySession, destroySessionsOf } from "./session/logout.ts";

/** Creates the context of a call without a session. */
export function createPublicContext(call: Call): PublicRpcContext {
  const fields: Fields<PublicRpcContext> = {
    [live]: new LiveValues(call),
    shop: call.services.shop,
    callRpc: <Output>(name: string, payload?: unknown) =>
      callRpc(call, name, payload) as Promise<Output>,
  };
  return toContext<PublicRpcContext>(fields, publicGetters);
}

/** Creates the context of a call with a session. */
export function createContext(call: Call): RpcContext {
  const { session } = call;
  const fields: Fields<RpcContext> = {
    [live]: new LiveValues(call),
    shop: call.services.shop,
    callRpc: <Output>(name: string, payload?: unknown) =>
      callRpc(call, name, payload) as Promise<Output>,
    updateUser: (user) => session.draft.updateUser(user),
    createUserBoundSession: (user, options) => logIn(session, user, options),
    destroySession: () => destroySession(session),
    destroySessionsForUserId: async (userId, sessionsToKeep = []) =>
      (await destroySessionsOf(session, userId, sessionsToKeep)).ended,
    updateCustomData: (patch) => session.draft.updateCustomData(patch),
    readTokens: () => session.tokens.read(),
    updateTokens: (tokens) => session.tokens.update(tokens),
    readBasket: () => readBasket(call),
    changeBasket: (rule) => changeBasket(call, rule),
    readWishlist: () => readWishlist(call),
    changeWishlist: (rule) => changeWishlist(call, rule),
  };
  return toContext<RpcContext>(fields, sessionGetters);
}

// --- Internal helpers ---

/** The values of a context that change during a call, or that few calls read. */
class LiveValues {
  readonly #call: Call;
  #headers: Headers | undefined;
  #sessions: ContextSessions | undefined;
  #auth: ContextAuth | undefined;

  constructor(call: Call) {
    this.#call = call;
  }

  get ip() {
    return this.#call.request.client.ip;
  }

  get log() {
    return this.#call.log;
  }

  get headers() {
    return (this.#headers ??= withoutCredentials(this.#call));
  }

  get signal() {
    return this.#call.request.deadline.signal;
  }

  get sessionId() {
    return this.#call.session.id;
  }

  get user() {
    return this.#call.session.draft.user;
  }

  get customData() {
    return this.#call.session.draft.customData;
  }

  get basketKey() {
    return this.#call.session.lists.begin("basket");
  }

  get wishlistKey() {
    return this.#call.session.lists.begin("wishlist");
  }

  get sessions() {
    return (this.#sessions ??= createContextSessions(this.#call));
  }

  get auth() {
    return (this.#auth ??= createContextAuth(this.#call));
  }
}

/** The property that links a context, and each context that `with` makes of it, to its live values. */
const live = Symbol("live values");

/** The fields of a context that never change. */
type Fields<Context> = Omit<Context, keyof LiveValues | "with"> & { readonly [live]: LiveValues };

type Getters = readonly (readonly [name: keyof LiveValues, getter: PropertyDescriptor])[];

const publicGetters = toGetters("ip", "log", "headers", "signal");
const sessionGetters = [
  ...publicGetters,
  ...toGetters("sessionId", "user", "customData", "basketKey", "wishlistKey", "sessions", "auth"),
];

/** All contexts share these getters. With getters of its own, each context would have a hidden class of its own. */
function toGetters(...names: readonly (keyof LiveValues)[]): Getters {
  return names.map((name) => {
    const get = function (this: { readonly [live]: LiveValues }) {
      return this[live][name];
    };
    return [name, { get, enumerable: true, configurable: true }];
  });
}

function toContext<Context extends PublicRpcContext>(
  fields: Fields<Context>,
  getters: Getters,
): Context {
  const context = fields as unknown as Context;
  for (const [name, getter] of getters) Object.defineProperty(context, name, getter);
  return withExtension(context);
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

function withoutCredentials({ runtime, request }: Call): Headers {
  const headers = new Headers(request.client.headers);
  for (const name of runtime.credentialHeaders) headers.delete(name);
  return headers;
}
