/*
 * The results of a batch, as bytes. One text of all results can have megabytes, and would hold the event loop while Node
 * encodes it.
 */

/** The result of one call. @param body JSON; empty for none */
export function toResult(status: number, body: string | ArrayBuffer): Bytes {
  const bytes = typeof body === "string" ? encoder.encode(body) : new Uint8Array(body);
  const name = bytes.length === 0 ? "" : ',"body":';
  return concat([encoder.encode(`{"status":${status}${name}`), bytes, encoder.encode("}")]);
}

/** Joins the results to the JSON of the response. A large one is a stream, because copying it takes too long. */
export function joinResults(results: readonly Bytes[]): ArrayBuffer | ReadableStream<Bytes> {
  const comma = encoder.encode(",");
  const between = results.flatMap((result, index) => (index === 0 ? [result] : [comma, result]));
  const parts = [encoder.encode("["), ...between, encoder.encode("]")];
  return lengthOf(parts) > maxJoined ? toStream(parts) : concat(parts).buffer;
}

// --- Internal helpers ---

type Bytes = Uint8Array<ArrayBuffer>;

/** The most bytes of a response in one piece. */
const maxJoined = 1_000_000;

const encoder = new TextEncoder();

function concat(parts: readonly Bytes[]): Bytes {
  const bytes = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function lengthOf(parts: readonly Bytes[]): number {
  return parts.reduce((length, part) => length + part.length, 0);
}

function toStream(parts: readonly Bytes[]): ReadableStream<Bytes> {
  const left = parts.values();
  return new ReadableStream(
    {
      pull(controller) {
        const { value } = left.next();
        if (value === undefined) controller.close();
        else controller.enqueue(value);
      },
    },
    // The client takes the next part when it has received the last one.
    { highWaterMark: 0 },
  );
}
