import { createContextAuth } from "./accounts/context-auth.ts";
import type { Call } from "./call.ts";
import type { BaseRpcContext, PublicRpcContext, RpcContext } from "./context.ts";
import { createContextSessions } from "./context-sessions.ts";
import { callRpc } from "./dispatch.ts";
import { changeBasket, changeWishlist, readBasket, readWishlist } from "./lists/context-lists.ts";
import { setResponseHeader } from "./response-headers.ts";
import { logIn } from "./session/login.ts";
import { destroySession, endUserSessions } from "./session/logout.ts";

/** Creates each field of a kind of context, except `with`. */
type Fields<Context extends BaseRpcContext> = {
  readonly [Name in Exclude<keyof Context, "with">]: (call: Call) => Context[Name];
};

const baseFields: Fields<BaseRpcContext> = {
  shop: (call) => call.services.shop,
  ip: (call) => call.ip,
  log: (call) => call.log,
  headers: (call) => call.headers,
  signal: (call) => call.signal,
  callRpc: (call) => (name, payload) => callRpc(call, name, payload) as Promise<never>,
  invalidate: (call) => call.services.cache.invalidate,
  setHeader: (call) => (name, value) => setResponseHeader(call.request, name, value),
};

const publicFields: Fields<PublicRpcContext> = {
  ...baseFields,
  cached: (call) => call.services.cache.cached,
};

const sessionFields: Fields<RpcContext> = {
  ...baseFields,
  sessionId: (call) => call.session.id,
  user: (call) => call.session.user,
  customData: (call) => call.session.customData,
  basketKey: (call) => call.session.lists.begin("basket"),
  wishlistKey: (call) => call.session.lists.begin("wishlist"),
  sessions: createContextSessions,
  auth: createContextAuth,
  updateUser: (call) => (user) => call.session.updateUser(user),
  createUserBoundSession: (call) => (user, options) => logIn(call.session, user, options),
  destroySession: (call) => async () => {
    call.session.assertWritable();
    await destroySession(call.session);
  },
  destroySessionsForUserId: (call) => async (userId, sessionsToKeep) =>
    (await endUserSessions(call.session, userId, sessionsToKeep)).ended,
  updateCustomData: (call) => (patch) => call.session.updateCustomData(patch),
  readTokens: (call) => () => call.session.tokens.read(),
  updateTokens: (call) => (tokens) => call.session.tokens.update(tokens),
  obtainTokens: (call) => (renew, options) => call.session.tokens.obtain(renew, options),
  readBasket: (call) => () => readBasket(call) as Promise<never>,
  changeBasket: (call) => (rule, condition) => changeBasket(call, rule, condition),
  readWishlist: (call) => () => readWishlist(call) as Promise<never>,
  changeWishlist: (call) => (rule) => changeWishlist(call, rule),
};

/**
 * The fields that each access reads from the call: those that can change during the call, and those that the call stores
 * itself, so that another copy in the context would save nothing.
 */
const liveFields: ReadonlySet<string> = new Set<keyof RpcContext>([
  "ip",
  "log",
  "headers",
  "signal",
  "sessionId",
  "user",
  "customData",
  "basketKey",
  "wishlistKey",
]);

export const createPublicContext = createContextFactory(publicFields);

/** Creates the context of a method with a session. */
export const createContext = createContextFactory(sessionFields);

// --- Internal helpers ---

function createContextFactory<Context extends BaseRpcContext>(fields: Fields<Context>) {
  const creators = new Map<string, (call: Call) => unknown>(Object.entries(fields));
  return (call: Call): Context =>
    new Proxy(Object.create(prototype) as object, new FieldCreator(call, creators)) as Context;
}

/** Node prints a proxy without its handler, so this creates the fields. */
const prototype: object = Object.defineProperty({}, Symbol.for("nodejs.util.inspect.custom"), {
  value(this: object) {
    return Object.defineProperties({}, Object.getOwnPropertyDescriptors(this));
  },
});

/**
 * Creates each field of a context when a method reads it, because most methods read few of them, and all of them together
 * take as long as the lookup of a session. Anything else that is done to a context, for example a spread, creates all
 * fields first, as properties of an ordinary object.
 */
class FieldCreator implements ProxyHandler<object> {
  readonly #call: Call;
  readonly #fields: ReadonlyMap<string, (call: Call) => unknown>;
  #isComplete = false;

  constructor(call: Call, fields: ReadonlyMap<string, (call: Call) => unknown>) {
    this.#call = call;
    this.#fields = fields;
  }

  get(context: object, name: string | symbol): unknown {
    const known = (context as Record<string | symbol, unknown>)[name];
    if (known !== undefined || this.#isComplete || typeof name === "symbol") return known;
    return liveFields.has(name)
      ? this.#fields.get(name)?.(this.#call)
      : this.#createConstant(context, name);
  }

  has(context: object, name: string | symbol): boolean {
    return Reflect.has(this.#complete(context), name);
  }

  ownKeys(context: object): (string | symbol)[] {
    return Reflect.ownKeys(this.#complete(context));
  }

  getOwnPropertyDescriptor(context: object, name: string | symbol) {
    return Reflect.getOwnPropertyDescriptor(this.#complete(context), name);
  }

  defineProperty(context: object, name: string | symbol, property: PropertyDescriptor): boolean {
    return Reflect.defineProperty(this.#complete(context), name, property);
  }

  deleteProperty(context: object, name: string | symbol): boolean {
    return Reflect.deleteProperty(this.#complete(context), name);
  }

  preventExtensions(context: object): boolean {
    return Reflect.preventExtensions(this.#complete(context));
  }

  /** Adds the missing fields to the context. */
  #complete(context: object): object {
    if (this.#isComplete) return context;
    for (const [name, create] of this.#fields) {
      if (liveFields.has(name)) {
        const get = () => create(this.#call);
        Object.defineProperty(context, name, { get, enumerable: true, configurable: true });
      } else if (!Object.hasOwn(context, name)) this.#createConstant(context, name);
    }
    if (!Object.hasOwn(context, "with")) this.#createConstant(context, "with");
    this.#isComplete = true;
    return context;
  }

  /** @returns `undefined` if the context has no such field */
  #createConstant(context: object, name: string): unknown {
    const constant =
      name === "with"
        ? (extra: object) => extend(this.#complete(context), extra)
        : this.#fields.get(name)?.(this.#call);
    if (constant !== undefined) (context as Record<string, unknown>)[name] = constant;
    return constant;
  }
}

/** Creates a context with more fields, for `with`: it copies getters, not their values. */
function extend(context: object, extra: object): object {
  const properties = {
    ...Object.getOwnPropertyDescriptors(context),
    ...Object.getOwnPropertyDescriptors(extra),
  };
  const extended = Object.defineProperties({}, properties);
  return Object.assign(extended, { with: (more: object) => extend(extended, more) });
}
