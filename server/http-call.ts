import type { ServerRequest } from "srvx";
import type { Call } from "../rpc/call.ts";
import type { RpcMethod } from "../rpc/method.ts";
import type { CallSession } from "../rpc/session/call-session.ts";
import { Redactor } from "../rpc/redaction/redactor.ts";
import type { ObservedCall, SessionState } from "./observer.ts";
import { findTrace } from "../rpc/trace-ids.ts";
import type { Random } from "../storage/random.ts";
import type { Shop } from "./config/options.ts";
import type { Credentials } from "./credentials/credentials.ts";
import { toSessionHeaders, type SessionLookup } from "./credentials/lookup.ts";
import type { HeaderEntry, SessionTransport } from "./credentials/transport.ts";
import type { Deadline } from "./deadline.ts";
import type { IdempotentCall } from "./idempotent-call.ts";
import type { PageCall } from "./page-visit.ts";
import type { RequestEvent } from "./request.ts";
import type { RpcResponse } from "./response.ts";
import type { Route } from "./router.ts";
import type { CallSpan } from "./telemetry.ts";

/** The batch and the page that a call is part of. */
export interface CallSource {
  readonly batched?: BatchedCall | undefined;
  /** For a call that a page makes while the server renders it. */
  readonly page?: PageCall | undefined;
}

/** A call of a batch: its payload is read, and it has the deadline of the batch. */
export interface BatchedCall {
  /** The request of the batch, which has the client's address. */
  readonly request: ServerRequest;
  readonly payload: unknown;
  readonly deadline: Deadline;
  /** Set at the end of a call that has a session. */
  session?: CallSession;
}

/** The HTTP side of a call. The handler sets each field when it knows the value. */
export class HttpCall {
  readonly event: RequestEvent;
  /** The request as the server received it: h3 can replace that of the event. */
  readonly request: ServerRequest;
  readonly route: Route | undefined;
  /** Only with `log.calls`. */
  id: string | undefined;
  /** Only with a tracer. */
  span: CallSpan | undefined;
  shop: Shop | undefined;
  method: RpcMethod | undefined;
  call: Call | undefined;
  lookup: SessionLookup | undefined;
  /** Whether this process knew the session, so that its lookup needed no storage. */
  isCached = false;
  /** Absent for a public method. */
  session: CallSession | undefined;
  /** Those that can issue a session. */
  transports: readonly SessionTransport[] = none;
  /** Whether to issue the session again: extended, with a new ID, or with a new signature. */
  isReissueDue = false;
  /** Only for a call with an `Idempotency-Key`. */
  idempotent: IdempotentCall | undefined;
  readonly #credentials: Credentials;
  #redactor: Redactor | undefined;

  constructor(event: RequestEvent, route: Route | undefined, credentials: Credentials) {
    this.event = event;
    this.request = event.req;
    this.route = route;
    this.#credentials = credentials;
  }

  /** Created at the first use: most calls of methods without a payload need none. */
  get redactor(): Redactor {
    return (this.#redactor ??= new Redactor(() =>
      this.#credentials.findSecrets(this.event.headers),
    ));
  }

  /** Ends the call, and leaves its session to the batch and the page that it is part of. */
  end({ batched, page }: CallSource): void {
    this.idempotent?.end();
    this.call?.end();
    if (this.session === undefined) return;
    if (batched !== undefined) batched.session = this.session;
    if (page !== undefined) page.session = this.session;
  }

  /** Adds the headers that issue or clear the session's credentials. */
  addSessionHeaders(headers: HeaderEntry[]): void {
    const { event, lookup, session } = this;
    if (lookup === undefined || session === undefined) return;
    const isSecure = () => event.url.protocol === "https:";
    headers.push(...toSessionHeaders(lookup, session, this, isSecure));
  }

  /**
   * Describes the call at its end, for telemetry.
   * @param operations the number of its storage operations, if they are counted
   */
  toObserved(
    { status, code }: RpcResponse,
    seconds: number,
    operations: number | undefined,
  ): ObservedCall {
    const { event, id, span, method, lookup } = this;
    // The session at the end of the call.
    const record = this.session?.current?.record;
    return {
      shopId: this.shop?.shopId,
      method: method && this.route?.method,
      status,
      code,
      seconds,
      session: lookup && stateOf(lookup),
      isCached: this.isCached,
      handle: record?.user && record.handle,
      id,
      operations,
      trace: id === undefined ? undefined : findTrace(event.traceparent, span),
    };
  }
}

/**
 * Creates a function that returns IDs of calls: a random part for this storefront, and a counter. Other servers rarely
 * have the same ID.
 */
export function createCallIds(random: Random): () => string {
  let prefix: string | undefined;
  let count = 0;
  return () => {
    prefix ??= random.uuid().slice(0, 8);
    count++;
    return `${prefix}-${count}`;
  };
}

// --- Internal helpers ---

const none: readonly never[] = [];

function stateOf({ session, attempted, gone, reused }: SessionLookup): SessionState {
  if (session !== undefined) return "active";
  if (reused.length > 0) return "reused";
  if (gone !== undefined) return gone;
  return attempted.some(({ ids }) => ids.length > 0) ? "expired" : "none";
}
