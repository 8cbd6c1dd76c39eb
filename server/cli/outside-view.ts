import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { systemClock } from "../../storage/clock.ts";
import { sessionKeys } from "../config/keys/session-keys.ts";
import { foreignOrigin, isAnswered, type CallView, type OutsideView } from "./outside-findings.ts";
import { parseBody, sendToService } from "./service-request.ts";

/** The calls of a service, and the shop that they are for. */
interface Target {
  readonly url: URL;
  readonly basePath: string;
  /** For a service that knows its shops by the header `x-shop-id` only. */
  readonly shopId: number | undefined;
}

/**
 * Looks at a service as any client can. It changes nothing, unless it creates a guest.
 * @param attempts the number of responses whose `Date` is compared, each on a connection of its own
 * @param createsGuest whether to begin a guest's session with an item in the wishlist, to see its cookie. The session ends again
 * @throws Error if a response doesn't come
 */
export async function viewFromOutside(
  target: Target,
  attempts: number,
  createsGuest: boolean,
): Promise<OutsideView> {
  const { url } = target;
  const found = await call(target, "getUser", { origin: url.origin });
  // A header that isn't needed could choose another shop than the host does.
  const isAmbiguous = found.code === "unknown_shop" && target.shopId !== undefined;
  const headers: Readonly<Record<string, string>> = isAmbiguous
    ? { "x-shop-id": String(target.shopId) }
    : {};
  const own = isAmbiguous
    ? await call(target, "getUser", { ...headers, origin: url.origin })
    : found;
  const foreign = await call(target, "getUser", { ...headers, origin: foreignOrigin });
  const skews: number[] = [];
  for (let attempt = 0; attempt < attempts; attempt++) {
    const start = systemClock.now();
    const { headers: received } = await sendToService(new URL("/healthz", url));
    const skew = toSkew(Date.parse(received.date ?? ""), start, systemClock.now());
    if (!Number.isNaN(skew)) skews.push(skew);
  }
  return {
    own,
    foreign,
    cookie: createsGuest && isAnswered(own) ? await seeCookie(target, headers) : undefined,
    isConnectionKept: await isConnectionKept(url),
    skews,
    plain: await seePlain(url),
  };
}

// --- Internal helpers ---

function toText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Milliseconds by which a date is before or after a round trip. It names a whole second. */
function toSkew(date: number, start: number, end: number): number {
  return Math.max(0, date - end) + Math.min(0, date + 1000 - start);
}

async function call(
  { url, basePath }: Target,
  method: string,
  headers: Readonly<Record<string, string>>,
  payload?: unknown,
): Promise<CallView & { readonly cookies: readonly string[] }> {
  const folder = url.pathname.replace(/\/$/, "");
  const response = await sendToService(new URL(`${folder}${basePath}/rpc/${method}`, url), {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ payload }),
  });
  const { status, headers: received, cookies, body } = response;
  const problem = status < 400 ? undefined : parseBody(body);
  const { code, detail } = (problem ?? {}) as Readonly<Record<string, unknown>>;
  return { status, code: toText(code), detail: toText(detail), headers: received, cookies };
}

/**
 * Begins a guest's session, and ends it.
 * @returns its `Set-Cookie`, or the other ones that arrived; `undefined` if the shop has no wishlists, or only tokens
 */
async function seeCookie(
  target: Target,
  headers: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const begun = await call(target, "addItemToWishlist", headers, { productId: 1 });
  if (begun.status !== 200) return undefined;
  const { cookies } = begun;
  const cookie = cookies.find((each) => /=s(?:%3A|:)/i.test(each));
  const token = begun.headers[sessionKeys.authTokenHeaderKey.default];
  const [pair] = cookie?.split(";", 1) ?? [];
  if (pair === undefined && token === undefined) return cookies.join(", ");
  const credential: Readonly<Record<string, string>> =
    pair === undefined ? { authorization: `Bearer ${String(token)}` } : { cookie: pair };
  await call(target, "clearWishlist", { ...headers, ...credential });
  await call(target, "logout", { ...headers, ...credential });
  return cookie;
}

async function isConnectionKept(url: URL): Promise<boolean> {
  const agent = new (url.protocol === "https:" ? HttpsAgent : HttpAgent)({
    keepAlive: true,
    // The second request waits until the first connection is free.
    maxSockets: 1,
  });
  try {
    await sendToService(new URL("/healthz", url), { agent });
    const { isReused } = await sendToService(new URL("/healthz", url), { agent });
    return isReused;
  } catch {
    // The proxy closed the connection without a word, while the second request was on its way.
    return false;
  } finally {
    agent.destroy();
  }
}

/** The page by plain HTTP. Only the default port of HTTPS has a known counterpart. */
async function seePlain(url: URL): Promise<OutsideView["plain"]> {
  if (url.protocol !== "https:" || url.port !== "") return undefined;
  try {
    const { status, headers } = await sendToService(new URL(`http://${url.host}${url.pathname}`));
    return { status, location: headers.location };
  } catch {
    return undefined;
  }
}
