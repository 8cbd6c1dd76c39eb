import { describeError, type Logger } from "../storage/log.ts";

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;

/** The same body, which logs an error that breaks it off: its client sees a connection that ends. */
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
    // Nothing is read before the client can take it.
    { highWaterMark: 0 },
  );
}
