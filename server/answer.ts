import { FastResponse } from "srvx";
import { Json } from "../rpc/json.ts";
import type { Header } from "./transport.ts";

/**
 * What a call is answered, while it is being put together. Its headers are a list, as they are sent: making
 * them `Headers` on the way costs more than a session does.
 */
export interface Answer {
  readonly status: number;
  readonly body: string | null;
  readonly headers: Header[];
}

/** Every answer is JSON, strings too; nothing is 204. */
export function toAnswer(value: unknown, cacheControl = "no-store"): Answer {
  const cache: Header = ["cache-control", cacheControl];
  const body = value instanceof Json ? value.text : toText(value);
  if (body === undefined) return { status: 204, body: null, headers: [cache] };
  return { status: 200, body, headers: [cache, ["content-type", "application/json"]] };
}

/** What the server is given: on Node it is written as it is, without a web stream. */
export function toResponse({ status, body, headers }: Answer): Response {
  return new FastResponse(body, { status, headers });
}

// --- Internal helpers ---

function toText(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : JSON.stringify(value);
}
