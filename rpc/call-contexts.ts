import type { Call } from "./call.ts";
import { createContextFactory, type ContextFields } from "./context-fields.ts";
import type { BaseRpcContext, PublicRpcContext, RpcContext } from "./context.ts";
import { callRpc } from "./dispatch.ts";
import { changeBasket, changeWishlist, readBasket, readWishlist } from "./lists/context-lists.ts";
import { setResponseHeader } from "./response-headers.ts";
import { logIn } from "./session/login.ts";
import { destroySession } from "./session/logout.ts";

const baseValues = ["ip", "log", "headers", "signal"] as const;

const base: ContextFields<BaseRpcContext>["constants"] = {
  shop: (call) => call.services.shop,
  callRpc: (call) => (name, payload) => callRpc(call, name, payload) as Promise<never>,
  invalidate: (call) => call.services.cache.invalidate,
  setHeader: (call) => (name, value) => setResponseHeader(call.request, name, value),
};

const publicFields: ContextFields<PublicRpcContext> = {
  values: baseValues,
  constants: { ...base, cached: (call) => call.services.cache.cached },
};

const sessionFields: ContextFields<RpcContext> = {
  values: [
    ...baseValues,
    "sessionId",
    "user",
    "customData",
    "basketKey",
    "wishlistKey",
    "sessions",
    "auth",
  ],
  constants: {
    ...base,
    updateUser: (call) => (user) => call.session.updateUser(user),
    createUserBoundSession: (call) => (user, options) => logIn(call.session, user, options),
    destroySession: (call) => async () => {
      call.session.assertWritable();
      await destroySession(call.session);
    },
    destroySessionsForUserId: (call) => async (userId, sessionsToKeep) =>
      (await call.sessions.endAll(userId, sessionsToKeep)).ended,
    updateCustomData: (call) => (patch) => call.session.updateCustomData(patch),
    readTokens: (call) => () => call.session.tokens.read(),
    updateTokens: (call) => (tokens) => call.session.tokens.update(tokens),
    obtainTokens: (call) => (renew, options) => call.session.tokens.obtain(renew, options),
    readBasket: (call) => () => readBasket(call) as Promise<never>,
    changeBasket: (call) => (rule, condition) => changeBasket(call, rule, condition),
    readWishlist: (call) => () => readWishlist(call) as Promise<never>,
    changeWishlist: (call) => (rule) => changeWishlist(call, rule),
  },
};

/** Creates the context of a public method. */
export const createPublicContext: (call: Call) => PublicRpcContext =
  createContextFactory(publicFields);

/** Creates the context of a method with a session. */
export const createContext: (call: Call) => RpcContext = createContextFactory(sessionFields);
