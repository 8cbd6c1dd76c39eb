import { createBatch } from "./call-batch.ts";
import { isProbe } from "./probe-names.ts";
import { createSendRequest } from "./send-request.ts";
import { LostError, readResult, RpcClientError } from "./result.ts";
import { orAborted, wait, withTimeout } from "./waiting.ts";
import type { ClientCall, RpcCallOptions, RpcClient, RpcClientOptions } from "../client-types.ts";
import type { RpcMethods } from "../method.ts";
import { unbatched } from "../unbatched.ts";

/**
 * Creates a client: see `createRpcClient`.
 * @param createKey creates the key of a change; `undefined` if its call has none
 */
export function createClient<Methods extends RpcMethods>(
  options: RpcClientOptions,
  createKey: () => string | undefined,
): RpcClient<Methods> {
  const call = createCall(options, createKey);
  const calls = new Map<string, (payload?: unknown, call?: RpcCallOptions) => Promise<unknown>>();
  return new Proxy({} as RpcClient<Methods>, {
    get(target, name) {
      // An object's own functions, such as `toString`, are not methods of the server.
      if (typeof name !== "string" || name in target) return Reflect.get(target, name);
      if (isProbe(name)) return undefined;
      const known = calls.get(name);
      if (known) return known;
      const callRpcMethod = (
        payload?: unknown,
        { signal, headers, timeout }: RpcCallOptions = {},
      ) =>
        withTimeout(timeout, signal, (limited) =>
          call({ method: name, body: toBody(name, payload), headers, signal: limited }),
        );
      calls.set(name, callRpcMethod);
      return callRpcMethod;
    },
  });
}

// --- Internal helpers ---

/** The longest `Retry-After` that the client waits for, in seconds. */
const longestPause = 10;

/**
 * The names of methods that take a secret, for example a password: the server keeps no key of theirs. The client knows
 * only names at run time.
 */
const secretMethod = /login|regist|authent|passw|verif/i;

/** Creates the function that makes all calls of a client. */
function createCall(options: RpcClientOptions, createKey: () => string | undefined) {
  const { reads = [], neverRepeat = [], onSessionEnded } = options;
  const isRead = (method: string) =>
    /^(?:get|list)(?![a-z])/.test(method) || reads.includes(method);
  const send = createSend(options, isRead);
  /** The requests that have no response yet. */
  const attempts = new Set<Promise<unknown>>();
  /** The reads in progress that an equal call can share. */
  const shared = new Map<
    string,
    { readonly result: Promise<unknown>; signal: ClientCall["signal"] }
  >();

  async function callWithRepeats(call: ClientCall): Promise<unknown> {
    const { key, method, signal } = call;
    for (let repeats = 0; ; repeats++) {
      const attempt: Promise<unknown> = send(call).finally(() => attempts.delete(attempt));
      attempts.add(attempt);
      try {
        return await attempt;
      } catch (error) {
        const isAnswer = error instanceof RpcClientError;
        const { code, executed, status, retryAfter } = (isAnswer ? error : {}) as RpcClientError;
        if (isAnswer && code === "session_ended") onSessionEnded?.(error);
        const isMoved = code === "session_changed" && executed === false;
        const isUnread = error instanceof LostError;
        // No response of the server came. A repeat would not help against any other error, for example of the token store.
        const isLost = key && (isUnread || (code === "no_problem" && status > 501));
        const isBusy = status === 503 && (key || isRead(method));
        const pause = retryAfter ?? (isLost ? (repeats ? 1 : 0.2) : Infinity);
        const isDue = (isLost || isBusy || code === "idempotency_pending") && pause <= longestPause;
        if (signal?.aborted || repeats === 2 || !(isMoved || isDue)) {
          throw isUnread ? error.cause : error;
        }
        if (isDue) await wait(pause * 1000, signal);
        else await (repeats ? wait(1000, signal) : untilOthers(attempts, signal));
      }
    }
  }

  async function change(call: ClientCall): Promise<unknown> {
    // A read that began before a change must not give its result to a call after the change.
    shared.clear();
    const isKept = !secretMethod.test(call.method) && !neverRepeat.includes(call.method);
    const keyed = isKept ? { ...call, key: createKey() } : call;
    return callWithRepeats(keyed).finally(() => shared.clear());
  }

  async function read(call: ClientCall): Promise<unknown> {
    const { method, body, headers, signal } = call;
    const key = JSON.stringify([method, body, headers]);
    const found = shared.get(key);
    if (found) {
      try {
        return share(await orAborted(found.result, signal));
      } catch (error) {
        const isOthers = found.signal?.aborted && !signal?.aborted;
        if (!isOthers) throw error;
        return read(call);
      }
    }
    const entry = { result: callWithRepeats(call), signal };
    shared.set(key, entry);
    try {
      return share(await entry.result);
    } finally {
      if (shared.get(key) === entry) shared.delete(key);
    }
  }

  return (call: ClientCall) => (isRead(call.method) ? read(call) : change(call));
}

/** Creates the function that sends a call once, alone or in a batch. */
function createSend(options: RpcClientOptions, isRead: (method: string) => boolean) {
  const sendRequest = createSendRequest(options);
  const sendAlone = async (call: ClientCall) => readResult(await sendRequest([call.method], call));
  if (!options.batch) return sendAlone;
  const alone = new Set(unbatched);
  const sendInBatch = createBatch(sendRequest, sendAlone);
  return async (call: ClientCall) => {
    const own = new Headers(call.headers);
    const key = own.get("idempotency-key") ?? call.key;
    own.delete("idempotency-key");
    if (alone.has(call.method) || [...own].length) return sendAlone(call);
    try {
      return await sendInBatch(call, key);
    } catch (thrown) {
      const error = thrown as RpcClientError | null;
      if (error?.code !== "not_batchable") throw error;
      alone.add(call.method);
      if (error.executed !== false && !isRead(call.method)) throw error;
      return sendAlone(call);
    }
  };
}

/** The body of a call, the same for each repeat. @throws TypeError if JSON can't hold the payload */
function toBody(method: string, payload: unknown): string {
  try {
    return JSON.stringify({ payload });
  } catch (cause) {
    throw new TypeError(`${method}: ${cause}`, { cause });
  }
}

/** A method's own `Response` can be read once, so each caller gets a copy. */
function share(result: unknown): unknown {
  return result instanceof Response ? result.clone() : result;
}

/** Waits for the responses to other requests, because one of them may bring the new cookie. @throws the signal's reason */
function untilOthers(
  attempts: ReadonlySet<Promise<unknown>>,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  if (!attempts.size) return wait(200, signal);
  return orAborted(Promise.allSettled(attempts), signal);
}
