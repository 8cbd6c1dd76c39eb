import type { Logger } from "../shared/log.ts";
import type { SessionCustomData, ShopUser } from "../storage/sessions/session-record.ts";
import type { Call } from "./call.ts";
import { dispatch } from "./dispatch.ts";
import { Json } from "./json-text.ts";
import type { MergeReport } from "./lists/transfer.ts";
import type { SessionTokens } from "./session/session-tokens.ts";
import type { CallSession } from "./session/call-session.ts";
import { logIn } from "./session/login.ts";
import { destroySession, destroySessionsOf } from "./session/logout.ts";
import type { PublicShop } from "./shop.ts";

/** How a new login is kept. */
export interface LoginOptions {
  /** `false` ends the cookie with the browser. @default true */
  readonly rememberMe?: boolean | undefined;
}

/** What a `public` method is handed: all that does not depend on a session. */
export interface PublicRpcContext {
  readonly shop: PublicShop;
  /**
   * Calls another method within this call: same shop, same session, no HTTP.
   * @throws what the method throws; RpcError `unknown_method`, `not_logged_in`, `invalid_input`
   */
  callRpc<Output = unknown>(method: string, payload?: unknown): Promise<Output>;
  readonly log: Logger;
  /** The client's address; a proxy's word is taken only where `trustProxy` says so. */
  readonly ip: string | undefined;
  /** The request's headers, without those that carry credentials. */
  readonly headers: Headers;
  /** Aborts when the client has gone away, or the call has taken too long (a TimeoutError). */
  readonly signal: AbortSignal;
}

/** What a method is handed. No secret, token or cookie is in it. */
export interface RpcContext extends PublicRpcContext {
  /** The id of the session; `undefined` for a visitor who has none yet. */
  readonly sessionId: string | undefined;
  /** Who is logged in, with the changes of this call. */
  readonly user: ShopUser | undefined;
  /**
   * Changes the user that the session holds, at the end of the call. Parallel calls that change
   * different fields keep them all. For a guest it is a login, as `createUserBoundSession`.
   * @throws TypeError where the user has no valid id
   */
  updateUser(user: ShopUser): void;
  /**
   * Binds the session to a user under a new id; the old id is dead at once. The guest's basket and
   * wishlist are merged into the user's.
   */
  createUserBoundSession(user: ShopUser, options?: LoginOptions): Promise<MergeReport>;
  /** Ends this session; a user is logged out, a guest's basket and wishlist are gone. */
  destroySession(): Promise<void>;
  /**
   * Ends a user's sessions in every shop of the realm, on every server.
   * @param sessionsToKeep ids of sessions that go on, as `context.sessionId`
   * @returns how many sessions ended
   */
  destroySessionsForUserId(
    userId: string | number,
    sessionsToKeep?: readonly string[],
  ): Promise<number>;
  /** Data of a deployment's own, with the changes of this call. */
  readonly customData: Readonly<Partial<SessionCustomData>>;
  /**
   * Sets fields of `customData` at the end of the call; `undefined` removes one.
   * @throws RpcError `limit_reached` beyond 16,384 characters of JSON altogether
   */
  updateCustomData(patch: Partial<SessionCustomData>): void;
  /** What a commerce system has given for this visitor, with the changes of this call. */
  readTokens(): Promise<SessionTokens | undefined>;
  /**
   * Keeps tokens in the session, encrypted, at the end of the call; `undefined` forgets them. A login
   * and a logout forget them too, so the tokens of a new user are set after the login.
   * @throws RpcError `limit_reached` where they take more than 16 KiB as JSON
   */
  updateTokens(tokens: SessionTokens | undefined): void;
  /** Names the visitor's basket. For a guest without one, reading it begins one. */
  readonly basketKey: string;
  /** Names the visitor's wishlist. For a guest without one, reading it begins one. */
  readonly wishlistKey: string;
}

/** What a `user` method is handed. */
export interface UserRpcContext extends RpcContext {
  readonly user: ShopUser;
}

/** The call behind a context, for the built-in methods. */
export function callOf(context: PublicRpcContext): Call {
  return PublicContext.callOf(context as PublicContext);
}

/**
 * The context of a call without a session. A class, for it is made for each call; its members can be taken
 * out of it one by one, functions too, and it is not to be copied as a whole.
 */
export class PublicContext implements PublicRpcContext {
  readonly #call: Call;
  #headers: Headers | undefined;

  constructor(call: Call) {
    this.#call = call;
  }

  /** Here, for a call has what no context shows: the request's credentials. */
  static callOf(context: PublicContext): Call {
    return context.#call;
  }

  get shop() {
    return this.#call.services.shop;
  }

  get log() {
    return this.#call.log;
  }

  get ip() {
    return this.#call.request.client.ip;
  }

  get headers() {
    this.#headers ??= withoutCredentials(this.#call);
    return this.#headers;
  }

  get signal() {
    return this.#call.request.deadline.signal;
  }

  get callRpc() {
    const call = this.#call;
    return async <Output>(method: string, payload?: unknown) => {
      const answer = await dispatch(call, method, payload);
      return (answer instanceof Json ? answer.parse() : answer) as Output;
    };
  }
}

/** The context of a call with a session. */
export class SessionContext extends PublicContext implements RpcContext {
  readonly #session: CallSession;

  constructor(call: Call) {
    super(call);
    this.#session = call.session;
  }

  get sessionId() {
    return this.#session.id;
  }

  get user() {
    return this.#session.draft.user;
  }

  get updateUser() {
    const session = this.#session;
    return (user: ShopUser) => session.draft.updateUser(user);
  }

  get createUserBoundSession() {
    const session = this.#session;
    return (user: ShopUser, options?: LoginOptions) => logIn(session, user, options);
  }

  get destroySession() {
    const session = this.#session;
    return () => destroySession(session);
  }

  get destroySessionsForUserId() {
    const session = this.#session;
    return async (userId: string | number, sessionsToKeep: readonly string[] = []) =>
      (await destroySessionsOf(session, userId, sessionsToKeep)).count;
  }

  get customData() {
    return this.#session.draft.customData;
  }

  get updateCustomData() {
    const session = this.#session;
    return (patch: Partial<SessionCustomData>) => session.draft.updateCustomData(patch);
  }

  get readTokens() {
    const session = this.#session;
    return () => session.tokens.read();
  }

  get updateTokens() {
    const session = this.#session;
    return (next: SessionTokens | undefined) => session.tokens.update(next);
  }

  get basketKey() {
    return this.#session.lists.begin("basket");
  }

  get wishlistKey() {
    return this.#session.lists.begin("wishlist");
  }
}

// --- Internal helpers ---

function withoutCredentials({ runtime, request }: Call): Headers {
  const headers = new Headers(request.client.headers);
  for (const name of runtime.credentialHeaders) headers.delete(name);
  return headers;
}
