import type { ClientCall } from "../client-types.ts";
import { maxBatchSize } from "../unbatched.ts";
import type { createSendRequest } from "./send-request.ts";
import { readResult, toError, type RpcClientError } from "./result.ts";
import { orAborted } from "./waiting.ts";

/**
 * Creates a function that collects calls until the end of the tick, and then sends them as one request.
 * @param sendAlone sends a call in a request of its own
 */
export function createBatch(
  sendRequest: ReturnType<typeof createSendRequest>,
  sendAlone: (call: ClientCall) => Promise<unknown>,
): (call: ClientCall, key: string | undefined) => Promise<unknown> {
  let queue: Waiting[] = [];
  let isSupported = true;

  function flush(): void {
    const waiting = queue.filter(({ call }) => !call.signal?.aborted);
    queue = [];
    for (let start = 0; start < waiting.length; start += maxBatchSize) {
      void send(waiting.slice(start, start + maxBatchSize));
    }
  }

  async function send(batch: readonly Waiting[]): Promise<void> {
    if (batch.length > 1 && isSupported) {
      try {
        return await sendAll(batch);
      } catch (error) {
        const status = (error as Partial<RpcClientError> | null)?.status ?? 0;
        // Too large together, or a framework's route that passes on single methods only. No call ran.
        if (![404, 405, 413].includes(status)) return batch.forEach(({ reject }) => reject(error));
        isSupported = status === 413;
      }
    }
    for (const { call, resolve } of batch) resolve(sendAlone(call));
  }

  async function sendAll(batch: readonly Waiting[]): Promise<void> {
    const stop = new AbortController();
    const { signal } = stop;
    let open = batch.length;
    const leave = () => --open === 0 && stop.abort();
    for (const { call } of batch) call.signal?.addEventListener("abort", leave, { signal });
    try {
      const body = `[${batch.map(({ text }) => text).join(",")}]`;
      await settle(batch, await sendRequest([], { body, signal }));
    } finally {
      stop.abort();
    }
  }

  return (call, key) => {
    const { method, body } = call;
    const target = JSON.stringify({ method, key }).slice(0, -1);
    const text = body === "{}" ? `${target}}` : `${target},${body.slice(1)}`;
    const result = new Promise<unknown>((resolve, reject) => {
      if (!queue.length) setTimeout(flush);
      queue.push({ call, text, resolve, reject });
    });
    return orAborted(result, call.signal);
  };
}

// --- Internal helpers ---

interface Waiting {
  readonly call: ClientCall;
  /** The entry of the batch, as JSON. */
  readonly text: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Gives each call its own result. @throws RpcClientError if the whole batch failed */
async function settle(batch: readonly Waiting[], response: Response): Promise<void> {
  const entries = await readResult(response);
  if (!Array.isArray(entries) || entries.length !== batch.length) {
    throw toError(response.status, undefined, response.headers);
  }
  for (const [index, { resolve, reject }] of batch.entries()) {
    const { status, body } = entries[index] as { status: number; body?: unknown };
    if (status < 300) resolve(body);
    else reject(toError(status, body, response.headers));
  }
}
