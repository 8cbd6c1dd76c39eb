import { withDetails, type Logger } from "../shared/log.ts";
import type { SessionReuse } from "../storage/sessions/session-store.ts";
import type { Auth } from "./accounts/auth.ts";
import type { ShopServices } from "./shop-services.ts";
import type { CallSessions } from "./session/call-session.ts";
import type { PublicRpcContext, RpcContext } from "./context.ts";
import { createContext, createPublicContext } from "./create-context.ts";
import { notify, type Hooks } from "./hooks.ts";
import type { LoginLimiter } from "./accounts/login-limiter.ts";
import type { RpcMethods } from "./method.ts";
import type { Redactor } from "./redaction/redactor.ts";
import { CallSession } from "./session/call-session.ts";
import type { SharedGuest } from "./session/shared-guest.ts";

/** The parts that all calls of a storefront share. */
export interface RpcRuntime {
  readonly methods: RpcMethods;
  readonly hooks: Hooks;
  readonly auth: Auth;
  /** Absent if the config sets no limit. */
  readonly loginLimiter: LoginLimiter | undefined;
  readonly log: Logger;
  /** The request headers that no context shows, because they carry credentials. */
  readonly credentialHeaders: readonly string[];
}

/** One call: its shop, its request, and its session. */
export class Call {
  readonly runtime: RpcRuntime;
  readonly services: ShopServices;
  readonly request: {
    /** The name of the called method. */
    readonly method: string;
    readonly client: { readonly ip?: string | undefined; readonly headers: Headers };
    readonly deadline: {
      /** Aborts if the time has passed (a TimeoutError), or if the client has disconnected. */
      readonly signal: AbortSignal;
      /** @throws RpcError `timeout` if the time has passed: the client has its response already */
      assertInTime(): void;
    };
    /** Replaces the secrets of the call in everything that is logged. */
    readonly redactor: Redactor;
  };
  #transport: string | undefined;
  #log: Logger | undefined;
  #session: CallSession | undefined;
  #context: RpcContext | undefined;
  #publicContext: PublicRpcContext | undefined;

  constructor(runtime: RpcRuntime, services: ShopServices, request: Call["request"]) {
    this.runtime = runtime;
    this.services = services;
    this.request = request;
  }

  /** Adds the shop and the method to each line, and replaces the secrets of the call. */
  get log(): Logger {
    const { services, runtime, request } = this;
    const details = { shopId: services.shop.shopId, method: request.method };
    this.#log ??= request.redactor.guard(withDetails(runtime.log, details));
    return this.#log;
  }

  /** The name of the transport that issues a session of this call. */
  get transport(): string | undefined {
    return this.#transport;
  }

  /** Opens the session of the call. Calls of public methods have none. */
  openSession(sessions: CallSessions, transport: string, guest?: SharedGuest): CallSession {
    this.#transport = transport;
    this.#session = new CallSession(this, sessions, guest);
    return this.#session;
  }

  /** Whether the call has a session, which methods of guests and users need. */
  get hasSession(): boolean {
    return this.#session !== undefined;
  }

  /** @throws Error if the call has no session, because its method is public */
  get session(): CallSession {
    if (this.#session === undefined)
      throw new Error('A public method can\'t use the session. Set access to "session" or "user".');
    return this.#session;
  }

  get context(): RpcContext {
    this.#context ??= createContext(this);
    return this.#context;
  }

  get publicContext(): PublicRpcContext {
    this.#publicContext ??= createPublicContext(this);
    return this.#publicContext;
  }

  /** Logs that a client used a replaced session ID, and calls the hook. */
  async reportReuse({ userId, handle }: SessionReuse): Promise<void> {
    const { services, log, request } = this;
    const { shop } = services;
    log.warn("A client used a session ID that had been replaced, so the server ended the session", {
      handle,
    });
    const reuse = { shop, userId, handle, ip: request.client.ip, log };
    await notify(this, "session.reuse_detected", () => reuse);
  }
}
