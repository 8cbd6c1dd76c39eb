import {
  request as requestHttp,
  type Agent as HttpAgent,
  type IncomingHttpHeaders,
} from "node:http";
import { request as requestHttps } from "node:https";

/**
 * Sends a request.
 * @param init `agent` keeps connections. Default: the request has a connection of its own
 * @throws Error if the response isn't complete within 10 seconds, or too large
 */
export function sendToService(
  url: URL,
  init: {
    readonly method?: "GET" | "POST";
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly agent?: HttpAgent;
  } = {},
): Promise<{
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The `Set-Cookie` headers. */
  readonly cookies: readonly string[];
  readonly body: string;
  /** Whether an earlier request used the same connection. */
  readonly isReused: boolean;
}> {
  const { method = "GET", headers = {}, body, agent = false } = init;
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(10_000);
    const options = { method, headers, agent, signal };
    const sent = request(url, options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        if (text.length > maxBodyLength) sent.destroy(new Error("a response that is too large"));
      });
      response.on("error", reject).on("end", () => {
        const { statusCode: status = 0, headers: received } = response;
        const cookies = received["set-cookie"] ?? [];
        resolve({ status, headers: received, cookies, body: text, isReused: sent.reusedSocket });
      });
    });
    sent.on("error", (error) => {
      reject(signal.aborted ? new Error("no complete response within 10 seconds") : error);
    });
    sent.end(body);
  });
}

/** Parses a JSON body. @returns `undefined` if another program has responded, for example a proxy with a page */
export function parseBody(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

// --- Internal helpers ---

/** More than the largest page that a proxy sends instead of the service. */
const maxBodyLength = 1_000_000;
