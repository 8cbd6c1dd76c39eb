import { describeError, withDetails, type Logger } from "../shared/log.ts";
import { findTrace, toCallIds, type TraceIds } from "./trace-ids.ts";
import type { SessionReuse } from "../storage/sessions/session-store.ts";
import type { LoginLimiter } from "./accounts/login-limiter.ts";
import type { Hooks } from "./hooks.ts";
import { RequestKey } from "./idempotency/request-key.ts";
import { readIfMatch } from "./lists/revision.ts";
import type { Redactor } from "./redaction/redactor.ts";
import type { RpcMethod } from "./method.ts";
import type { ShopServices } from "./shop-services.ts";

/**
 * One call: its shop and its request. The contexts of its methods read from it the values that few methods read. No path
 * leads from here to the session, so public methods have none.
 */
export class Call {
  /** The parts that all calls of a storefront share. */
  readonly runtime: {
    readonly hooks: Hooks;
    /** Absent if the config sets no limit. */
    readonly loginLimiter: LoginLimiter | undefined;
    readonly log: Logger;
    /** Seconds that a call may take. */
    readonly callTimeout: number;
    /** The request headers that no context shows, because they carry credentials. */
    readonly credentialHeaders: readonly string[];
    /**
     * Compares the result of a built-in method with its description. Only in development servers and tests.
     * @returns `undefined` for a method of the config, which has no description
     */
    readonly checkResult:
      | ((
          call: Call,
          name: string,
          method: RpcMethod,
          result: unknown,
        ) => Promise<void> | undefined)
      | undefined;
  };
  readonly services: ShopServices;
  readonly request: {
    readonly method: string;
    /** The ID of the call, for its log lines; only with `log.calls`. */
    readonly id?: string | undefined;
    /** The span of the call, for its log lines. */
    readonly span?: { readonly trace?: TraceIds | undefined } | undefined;
    /** The payload as the client sent it. */
    readonly payload: unknown;
    /**
     * The `Idempotency-Key`, without quotation marks; `undefined` if the server keeps no keys of this method, for
     * example because its input has a secret.
     */
    readonly idempotencyKey: string | undefined;
    readonly client: {
      readonly ip?: string | undefined;
      readonly headers: Headers;
      /** Keeps a worker running until the work is done. */
      waitUntil?(work: Promise<void>): void;
    };
    readonly deadline: {
      /** On the monotonic clock. */
      readonly endsAt: number;
      /** Aborts if the time has passed (a TimeoutError), or if the client has disconnected. */
      readonly signal: AbortSignal;
      /** @throws RpcError `timeout` if the time has passed: the client has its response already */
      assertInTime(): void;
    };
    /** Creates the redactor at the first use: most calls of methods without a payload need none. */
    readonly toRedactor: () => Redactor;
    /** The headers that methods have set. The first one creates it, because most calls set none. */
    responseHeaders?: Headers | undefined;
  };
  #log: Logger | undefined;
  #headers: Headers | undefined;
  #key: RequestKey | undefined;
  #isIfMatchTaken = false;
  #endings: (() => void)[] | undefined;
  #isEnded = false;

  constructor(runtime: Call["runtime"], services: ShopServices, request: Call["request"]) {
    this.runtime = runtime;
    this.services = services;
    this.request = request;
  }

  /** Adds the shop and the method to each line, and replaces the secrets of the call. */
  get log(): Logger {
    const { services, runtime, request } = this;
    if (this.#log === undefined) {
      const { method, id, client, span } = request;
      const trace = findTrace(client.headers.get("traceparent"), span);
      const details = { ...toCallIds(id, trace), shopId: services.shop.shopId, method };
      this.#log = this.redactor.guard(withDetails(runtime.log, details));
    }
    return this.#log;
  }

  /** Replaces the secrets of the call in everything that is logged. */
  get redactor(): Redactor {
    return this.request.toRedactor();
  }

  /** The `Idempotency-Key` of the call, in the form in which it is stored. */
  get key(): RequestKey | undefined {
    const { request, services } = this;
    const { idempotencyKey } = request;
    if (idempotencyKey === undefined) return undefined;
    return (this.#key ??= new RequestKey(idempotencyKey, request, services.fingerprints));
  }

  /** The condition of the header `If-Match`, once: the call's first change of the basket makes a new revision. */
  takeIfMatch(): ReturnType<typeof readIfMatch> {
    if (this.#isIfMatchTaken) return undefined;
    this.#isIfMatchTaken = true;
    return readIfMatch(this.request.client.headers);
  }

  get ip(): string | undefined {
    return this.request.client.ip;
  }

  /** The request's headers, without those that carry credentials. */
  get headers(): Headers {
    if (this.#headers === undefined) {
      this.#headers = new Headers(this.request.client.headers);
      for (const name of this.runtime.credentialHeaders) this.#headers.delete(name);
    }
    return this.#headers;
  }

  get signal(): AbortSignal {
    return this.request.deadline.signal;
  }

  /**
   * Runs work that neither delays nor changes the response: see {@link BackgroundWork.start}.
   * @param about for the log: names the work
   */
  runAfterResponse(about: string, work: (signal: AbortSignal) => Promise<unknown>): void {
    const { client } = this.request;
    const running = this.services.background.start(about, work, this.log);
    client.waitUntil?.(running);
  }

  /** Runs a function when the call has ended, with a result or with an error; immediately if it has ended. */
  atEnd(run: () => void): void {
    if (this.#isEnded) run();
    else (this.#endings ??= []).push(run);
  }

  end(): void {
    this.#isEnded = true;
    if (this.#endings !== undefined) for (const run of this.#endings) run();
  }

  /** Logs that a client used a replaced session ID, and calls the hook. */
  async reportReuse({ userId, handle }: SessionReuse): Promise<void> {
    const { services, log, ip } = this;
    log.warn("A client used a session ID that had been replaced, so the server ended the session", {
      handle,
    });
    const reuse = { shop: services.shop, userId, handle, ip, log };
    await this.notify("session.reuse_detected", () => reuse);
  }

  /**
   * Runs a hook that comes too late to reject the call: its errors are logged.
   * @param toEvent creates the event, if the config has the hook
   */
  async notify<Name extends keyof Hooks>(
    name: Name,
    toEvent: () => Parameters<NonNullable<Hooks[Name]>>[0],
  ): Promise<void> {
    const hook = this.runtime.hooks[name] as ((event: unknown) => void | Promise<void>) | undefined;
    if (hook === undefined) return;
    try {
      await hook(toEvent());
    } catch (error) {
      this.log.error(`The hook ${name} failed`, { error: describeError(error) });
    }
  }
}
