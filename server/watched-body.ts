import { describeError, type Logger } from "../shared/log.ts";
import type { ClientRequest } from "./client-signal.ts";
import { isClientGone } from "./client-gone.ts";

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;

/** The log for errors of a body, and the request of the response. */
export interface BodyWatch {
  readonly log: Logger;
  readonly request: ClientRequest;
}

/**
 * Wraps a body, and logs an error that ends it early: the client sees only a closed connection. If the client has
 * left, that is no error.
 */
export function watchBody(body: Bytes, { log, request }: BodyWatch): Bytes {
  const reader = body.getReader();
  let isCanceled = false;
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (isCanceled) return;
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          const details = { error: describeError(error) };
          if (isCanceled || isClientGone(error, request)) {
            log.debug("A client left before the body of a method's Response ended", details);
          } else {
            log.error("The body of a method's Response failed midway", details);
          }
          controller.error(error);
        }
      },
      cancel(reason) {
        isCanceled = true;
        return reader.cancel(reason);
      },
    },
    // Read nothing before the client can receive it.
    { highWaterMark: 0 },
  );
}
