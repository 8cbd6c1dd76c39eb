import type { Logger } from "../storage/log.ts";
import type { SessionTransportName } from "../storage/session-record.ts";
import type { Session } from "../storage/session-records.ts";
import type { SessionReusedError } from "../storage/sessions.ts";
import type { Auth, AuthContext } from "./auth.ts";
import type { ShopBackend } from "./backend.ts";
import {
  PublicContext,
  SessionContext,
  type PublicRPCContext,
  type RPCContext,
} from "./context.ts";
import type { CallDeadline } from "./deadline.ts";
import { notify, type Hooks } from "./hooks.ts";
import type { LoginAttempts } from "./login-attempts.ts";
import type { RpcMethods } from "./method.ts";
import type { Redactor } from "./redactor.ts";
import { CallTokens } from "./session-tokens.ts";
import { CallSession, type SessionObserver } from "./session.ts";

/** What all calls of a storefront share. */
export interface CallEnvironment {
  readonly methods: RpcMethods;
  readonly hooks: Hooks;
  readonly auth: Auth;
  /** Absent: there is no limit. */
  readonly loginAttempts: LoginAttempts | undefined;
}

/** What a call needs to know of the request that brought it. */
export interface CallRequest {
  readonly ip: string | undefined;
  readonly headers: Headers;
  readonly deadline: CallDeadline;
  /** Knows what must not be written down. */
  readonly redactor: Redactor;
}

/** One call on its way: where it goes, who makes it, what it came with. */
export class Call {
  readonly environment: CallEnvironment;
  readonly backend: ShopBackend;
  readonly request: CallRequest;
  readonly log: Logger;
  #session: CallSession | undefined;
  #context: RPCContext | undefined;
  #publicContext: PublicRPCContext | undefined;

  constructor(
    environment: CallEnvironment,
    backend: ShopBackend,
    request: CallRequest,
    log: Logger,
  ) {
    this.environment = environment;
    this.backend = backend;
    this.request = request;
    this.log = request.redactor.guard(log);
  }

  /** Gives the call its session; calls of public methods go without. */
  openSession(session: Session | undefined, transport: SessionTransportName): CallSession {
    const { backend, log, request } = this;
    const tokens = new CallTokens(backend, log, request.redactor);
    const userAgent = request.headers.get("user-agent") ?? undefined;
    const caller = { userAgent, transport, log, deadline: request.deadline };
    this.#session = new CallSession(backend, session, this.#observer(), tokens, caller);
    return this.#session;
  }

  /** Whether methods that need a session can run in this call. */
  get hasSession(): boolean {
    return this.#session !== undefined;
  }

  /** @throws Error in a call of a public method, which has none */
  get session(): CallSession {
    if (this.#session === undefined) throw new Error("A public method has no session");
    return this.#session;
  }

  get context(): RPCContext {
    this.#context ??= new SessionContext(this);
    return this.#context;
  }

  get publicContext(): PublicRPCContext {
    this.#publicContext ??= new PublicContext(this);
    return this.#publicContext;
  }

  /** What the deployment's `auth` is told of this call. */
  get authContext(): AuthContext {
    const { backend, log, request } = this;
    return { shop: backend.shop, realm: backend.realm.name, log, signal: request.deadline.signal };
  }

  /** Tells who wants to know that two used one session. */
  async reportReuse({ userId, handle }: SessionReusedError): Promise<void> {
    const { backend, environment, log, request } = this;
    const { shop } = backend;
    log.warn("A session id was used after it had been replaced, so its session was ended", {
      handle,
    });
    const reuse = { shop, userId, handle, ip: request.ip, log };
    await notify(environment.hooks, "session.reuse_detected", () => reuse, log);
  }

  #observer(): SessionObserver {
    const { hooks } = this.environment;
    return {
      afterLogin: (user, merge) =>
        notify(
          hooks,
          "storefront:afterLogin",
          () => ({ context: this.context, user, merge }),
          this.log,
        ),
      afterLogout: (user) =>
        notify(hooks, "storefront:afterLogout", () => ({ context: this.context, user }), this.log),
    };
  }
}
