import { createContextAuth } from "./accounts/context-auth.ts";
import type { Call } from "./call.ts";
import type { BaseRpcContext, PublicRpcContext, RpcContext } from "./context.ts";
import { createContextSessions } from "./context-sessions.ts";
import { dispatch, findMethod } from "./dispatch.ts";
import { RpcError } from "./error.ts";
import { changeBasket, changeWishlist, readBasket, readWishlist } from "./lists/context-lists.ts";
import { setResponseHeader } from "./response-headers.ts";
import type { CallSession } from "./session/call-session.ts";
import { logIn } from "./session/login.ts";
import { destroySession, endUserSessions, obtainTokens } from "./session/logout.ts";

/** Creates each field of a kind of context, except `with`. */
type Fields<Context extends BaseRpcContext, Session> = {
  readonly [Name in Exclude<keyof Context, "with">]: (
    call: Call,
    session: Session,
  ) => Context[Name];
};

const baseFields: Fields<BaseRpcContext, CallSession | undefined> = {
  shop: (call) => call.services.shop,
  ip: (call) => call.ip,
  log: (call) => call.log,
  headers: (call) => call.headers,
  signal: (call) => call.signal,
  callRpc: (call, session) => (name, payload) =>
    callRpc(call, session, name, payload) as Promise<never>,
  invalidate: (call) => call.services.cache.invalidate,
  setHeader: (call) => (name, value) => setResponseHeader(call.request, name, value),
};

const publicFields: Fields<PublicRpcContext, undefined> = {
  ...baseFields,
  cached: (call) => call.services.cache.cached,
};

const sessionFields: Fields<RpcContext, CallSession> = {
  ...baseFields,
  sessionId: (_, session) => session.id,
  user: (_, session) => session.user,
  customData: (_, session) => session.customData,
  basketKey: (_, session) => session.lists.begin("basket"),
  wishlistKey: (_, session) => session.lists.begin("wishlist"),
  sessions: (_, session) => createContextSessions(session),
  auth: (_, session) => createContextAuth(session),
  updateUser: (_, session) => (user) => session.updateUser(user),
  createUserBoundSession: (_, session) => (user, options) => logIn(session, user, options),
  destroySession: (_, session) => async () => {
    session.assertWritable();
    await destroySession(session);
  },
  destroySessionsForUserId: (_, session) => async (userId, sessionsToKeep) =>
    (await endUserSessions(session, userId, sessionsToKeep)).ended,
  updateCustomData: (_, session) => (patch) => session.updateCustomData(patch),
  readTokens: (_, session) => () => session.tokens.read(),
  updateTokens: (_, session) => (tokens) => session.tokens.update(tokens),
  obtainTokens: (_, session) => (renew, options) => obtainTokens(session, renew, options),
  readBasket: (_, session) => () => readBasket(session) as Promise<never>,
  changeBasket: (_, session) => (rule, condition) => changeBasket(session, rule, condition),
  readWishlist: (_, session) => () => readWishlist(session) as Promise<never>,
  changeWishlist: (_, session) => (rule) => changeWishlist(session, rule),
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

/** Creates the context of a `public` method. */
export function createPublicContext(call: Call): PublicRpcContext {
  const creator = new FieldCreator(publicCreators, call, undefined);
  return new Proxy(Object.create(prototype) as object, creator) as PublicRpcContext;
}

/** Creates the context of a method with a session. */
export function createContext(session: CallSession): RpcContext {
  const creator = new FieldCreator(sessionCreators, session.call, session);
  return new Proxy(Object.create(prototype) as object, creator) as RpcContext;
}

// --- Internal helpers ---

/**
 * Runs a method for another method of the same call. A public method runs without the session, and with a copy of the
 * payload: its `cached` must not store anything that depends on the visitor.
 * @throws RpcError `unknown_method`; TypeError if the payload can't be copied; and the errors of {@link dispatch}
 */
async function callRpc(
  call: Call,
  session: CallSession | undefined,
  name: string,
  payload: unknown,
): Promise<unknown> {
  const method = findMethod(call.services.methods, name);
  if (method === undefined) throw new RpcError("unknown_method", { detail: name });
  if (method.access === "public") {
    const copy = session === undefined ? payload : copyPayload(name, payload);
    return dispatch(call, undefined, createPublicContext(call), method, copy, name);
  }
  if (session === undefined) {
    throw new Error(`A public method cannot call ${name}, which needs a session`);
  }
  return dispatch(call, session, session.context, method, payload, name);
}

/** Copies data, and rejects functions: one could read the session. */
function copyPayload(name: string, payload: unknown): unknown {
  try {
    return structuredClone(payload);
  } catch (cause) {
    throw new TypeError(
      `The payload of the public method ${name} cannot be copied. Pass plain data, without functions`,
      { cause },
    );
  }
}

const sessionCreators = new Map<string, (call: Call, session: never) => unknown>(
  Object.entries(sessionFields),
);
const publicCreators: typeof sessionCreators = new Map(Object.entries(publicFields));

/** Node prints a proxy without its handler, so this creates the fields. */
const prototype: object = Object.defineProperty({}, Symbol.for("nodejs.util.inspect.custom"), {
  value(this: object) {
    return Object.defineProperties({}, Object.getOwnPropertyDescriptors(this));
  },
});

/**
 * Creates each field of a context when a method reads it: creating all of them takes as long as the lookup of a
 * session. Any other use, for example a spread, first creates all fields as properties of an ordinary object.
 */
class FieldCreator implements ProxyHandler<object> {
  readonly #fields: typeof sessionCreators;
  readonly #call: Call;
  /** The session that these fields need, if they need one. */
  readonly #session: never;
  #isComplete = false;

  constructor(fields: typeof sessionCreators, call: Call, session: CallSession | undefined) {
    this.#fields = fields;
    this.#call = call;
    this.#session = session as never;
  }

  get(context: object, name: string | symbol): unknown {
    const known = (context as Record<string | symbol, unknown>)[name];
    if (known !== undefined || this.#isComplete || typeof name === "symbol") return known;
    return liveFields.has(name)
      ? this.#fields.get(name)?.(this.#call, this.#session)
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
        const get = () => create(this.#call, this.#session);
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
        : this.#fields.get(name)?.(this.#call, this.#session);
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
