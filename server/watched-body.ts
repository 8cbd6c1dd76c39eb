import { describeError, type Logger } from "../storage/log.ts";

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;

/** Wraps a body, and logs an error that ends it early: the client sees only a closed connection. */
export function watchBody(body: Bytes, log: Logger): Bytes {
  const reader = body.getReader();
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          log.error("The body of a method's Response failed midway", {
            error: describeError(error),
          });
          controller.error(error);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    // Read nothing before the client can receive it.
    { highWaterMark: 0 },
  );
}
