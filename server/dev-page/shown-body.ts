import { setTimeout } from "node:timers/promises";

/** The most bytes of a body that the page shows. */
const mostBytes = 200_000;
/** A stream can be endless: then the page shows the part that arrived in this time, in milliseconds. */
const mostTime = 5000;

/** Reads the body of a response as text, and stops reading a long or endless one. */
export async function readShownBody(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  const given = new AbortController();
  const late = setTimeout(mostTime, "late" as const, { signal: given.signal }).catch(() => "late");
  let text = "";
  let size = 0;
  try {
    for (;;) {
      const part = await Promise.race([reader.read(), late]);
      if (typeof part === "string") return `${text}\n(The response continues.)`;
      if (part.done) return text + decoder.decode();
      size += part.value.length;
      text += decoder.decode(part.value, { stream: true });
      if (size > mostBytes) return `${text.slice(0, mostBytes)}\n(The response continues.)`;
    }
  } catch {
    return `${text}\n(The response failed midway.)`;
  } finally {
    given.abort();
    void reader.cancel().catch(() => undefined);
  }
}
