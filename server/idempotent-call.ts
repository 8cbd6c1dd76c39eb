import { RpcError } from "../rpc/error.ts";
import { hasOwnKeys } from "../rpc/idempotency/idempotency-key.ts";
import { AnswerFoundError, KeyClaim, pending } from "../rpc/idempotency/key-claim.ts";
import type { RequestKey } from "../rpc/idempotency/request-key.ts";
import { readBasket, readWishlist } from "../rpc/lists/context-lists.ts";
import type { RpcMethod } from "../rpc/method.ts";
import type { CallSession } from "../rpc/session/call-session.ts";
import type { StoredAnswer } from "../storage/sessions/stored-answer.ts";
import type { HeaderEntry } from "./credentials/transport.ts";
import { isResponse, toRpcResponse, type RpcResponse } from "./response.ts";

/**
 * A call with an `Idempotency-Key` and a session. The session's record stores the answer in the same write as the
 * changes of the call. Methods that store keys themselves, as those of the basket do, run again in a repetition.
 */
export class IdempotentCall {
  readonly #session: CallSession;
  readonly #key: RequestKey;
  readonly #claim: KeyClaim;
  readonly #hasOwnKeys: boolean;
  #running: Promise<unknown> | undefined;
  #hasRun = false;

  constructor(session: CallSession, method: RpcMethod, key: RequestKey) {
    this.#session = session;
    this.#key = key;
    this.#claim = new KeyClaim(session, key);
    this.#hasOwnKeys = hasOwnKeys(method);
  }

  /**
   * Prepares the run of the method.
   * @returns the response of an earlier call, and then the method must not run
   * @throws RpcError `idempotency_key_reused`, `idempotency_pending`, `session_changed`, `answer_not_kept`
   */
  async begin(): Promise<RpcResponse | undefined> {
    const known = this.#hasOwnKeys ? this.#claim.find() : await this.#claim.acquire();
    if (known !== undefined) {
      this.#session.call.log.debug("A repeated call got the answer of the first one");
      return this.#toResponse(known);
    }
    const session = this.#session;
    if (session.current !== undefined) {
      await session.lists.assertKeyUnused(this.#key, this.#hasOwnKeys);
    }
    return undefined;
  }

  /** Waiting calls continue when the method has ended, even if that is after the response. */
  follow(running: Promise<unknown>): void {
    this.#running = running;
  }

  /** Adds the answer to the changes of the session, before they are written. */
  keep(result: unknown, response: RpcResponse): void {
    this.#hasRun = true;
    if (this.#hasOwnKeys) return;
    const session = this.#session;
    if (isResponse(result)) {
      session.lastChange = this.#claim.toRemove();
      return;
    }
    const list = this.#key.views.get(result as object);
    const { status, body, headers } = toAnswer(response);
    const answer = list === undefined ? { status, body, headers } : { status, headers, list };
    session.lastChange = this.#claim.toStore(answer);
  }

  /**
   * Keeps the response of a failed call, if a repetition would fail in the same way.
   * @returns the response that the client gets: that of a parallel call with the key, if it has ended first
   */
  async fail(
    error: unknown,
    toErrorResponse: (error: unknown) => RpcResponse,
  ): Promise<RpcResponse> {
    if (error instanceof AnswerFoundError) return this.#toFoundResponse(error, toErrorResponse);
    const response = toErrorResponse(error);
    const change = this.#toChange(error, response);
    if (change === undefined || this.#session.current === undefined) return response;
    try {
      await this.#session.write(change);
    } catch (failure) {
      if (failure instanceof AnswerFoundError)
        return this.#toFoundResponse(failure, toErrorResponse);
      // The key stays unused, or a waiting call takes over later.
    }
    return response;
  }

  /** Ends the claim of the key. */
  end(): void {
    const release = () => this.#claim.release();
    if (this.#running === undefined) release();
    else this.#running.then(release, release);
  }

  /** The change of the record after a failure, if there is one. */
  #toChange(error: unknown, response: RpcResponse) {
    const { status } = response;
    const hasBegun = this.#running !== undefined;
    if (hasBegun && isFinal(error, status)) return this.#claim.toStore(toAnswer(response));
    // The method has ended well or is still running, so a repetition must wait.
    const isUnclear = status === 504 || (this.#hasRun && status >= 500);
    return isUnclear ? undefined : this.#claim.toRemove();
  }

  async #toFoundResponse(
    { answer }: AnswerFoundError,
    toErrorResponse: (error: unknown) => RpcResponse,
  ): Promise<RpcResponse> {
    try {
      this.#key.assertSame(answer.fingerprint);
      return await this.#toResponse(answer);
    } catch (error) {
      return toErrorResponse(error);
    }
  }

  async #toResponse({ status, body, headers = [], list }: StoredAnswer): Promise<RpcResponse> {
    if (status === undefined) throw pending();
    const own = headers.map(([name, value]): HeaderEntry => [name, value]);
    if (list !== undefined) {
      const read = list === "basket" ? readBasket : readWishlist;
      const response = toRpcResponse(await read(this.#session));
      response.headers.push(...own);
      return response;
    }
    if (body === undefined && status !== 204) {
      throw new RpcError("answer_not_kept", { executed: status < 400 });
    }
    const type = status < 400 ? "application/json" : "application/problem+json";
    if (body !== undefined) own.unshift(["content-type", type]);
    own.unshift(["cache-control", "no-store"]);
    return { status, body: body ?? null, headers: own };
  }
}

// --- Internal helpers ---

/**
 * Whether a repetition of the call would fail in the same way. A login, a new basket, or time can change the other
 * statuses. `invalid_input` needs no key, because the payload is always invalid.
 */
function isFinal(error: unknown, status: number): boolean {
  if (status < 400 || status >= 499 || passing.has(status)) return false;
  return !(isResponse(error) || (error instanceof RpcError && error.code === "invalid_input"));
}

const passing = new Set([401, 405, 408, 409, 412, 415, 425, 429]);

/** The part of a response that is stored. Its other headers are the same for every answer with this status. */
function toAnswer({ status, body, headers }: RpcResponse) {
  const own = headers.filter(([name]) => name !== "cache-control" && name !== "content-type");
  return {
    status,
    // A result is text, because a method's `Response` isn't stored.
    body: typeof body === "string" ? body : undefined,
    headers: own.length === 0 ? undefined : own,
  };
}
