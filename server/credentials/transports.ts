import type { Clock } from "../../storage/clock.ts";
import type { Shop } from "../config/options.ts";
import { createBearerTransport } from "./bearer.ts";
import { createCookieTransport } from "./cookie.ts";
import type { SessionTransport } from "./transport.ts";

/** All transports, by their names in `session.tokenMethod`. To add one, write its file and name it here. */
const creators = {
  cookie: ({ session }, clock) => createCookieTransport(session, clock),
  bearer: ({ session, shopId }) => createBearerTransport(session, shopId),
} satisfies Record<string, (shop: Shop, clock: Clock) => SessionTransport>;

/** The name of a transport. */
export type TokenMethod = keyof typeof creators;

export const tokenMethods = Object.keys(creators) as readonly TokenMethod[];

/** How a user's session was issued: by one transport, or by several. */
export type SessionTransportName = TokenMethod | "both";

/** Creates the transports of a shop, also those that its config doesn't enable. */
export function createTransports(shop: Shop, clock: Clock): readonly SessionTransport[] {
  const transports = tokenMethods.map((name) => creators[name](shop, clock));
  // A client sends a token on purpose, and a cookie always, so tokens come first.
  return transports.toSorted((a, b) => Number(a.isAmbient) - Number(b.isAmbient));
}
