import type { Clock } from "../../storage/clock.ts";
import type { Shop } from "../config/options.ts";
import { createBearerTransport } from "./bearer.ts";
import { createCookieTransport } from "./cookie.ts";
import { tokenMethods, type TokenMethod } from "./token-method.ts";
import type { SessionTransport } from "./transport.ts";

/** All transports. To add one, write its file, and name it here and in `token-method.ts`. */
const creators: Readonly<Record<TokenMethod, (shop: Shop, clock: Clock) => SessionTransport>> = {
  cookie: ({ session }, clock) => createCookieTransport(session, clock),
  bearer: ({ session, shopId }) => createBearerTransport(session, shopId),
};

/** Creates the transports of a shop, also those that its config doesn't enable. */
export function createTransports(shop: Shop, clock: Clock): readonly SessionTransport[] {
  const transports = tokenMethods.map((name) => creators[name](shop, clock));
  // A client sends a token on purpose, and a cookie always, so tokens come first.
  return transports.toSorted((a, b) => Number(a.isAmbient) - Number(b.isAmbient));
}
