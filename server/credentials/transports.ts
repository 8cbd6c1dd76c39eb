import { BearerTransport } from "./bearer.ts";
import { CookieTransport } from "./cookie.ts";
import type { Shop } from "../config/options.ts";
import type { SessionTransport } from "./transport.ts";

/** The ways that a shop's sessions travel, tokens first: who sends one means it. */
export interface Transports {
  readonly all: readonly SessionTransport[];
  /** For calls whose cookies do not count. */
  readonly withoutCookies: readonly SessionTransport[];
}

/** Makes the ways that a shop's config asks for. */
export function createTransports({ shopId, session }: Shop): Transports {
  const { tokenMethods } = session;
  const withoutCookies = tokenMethods.includes("bearer")
    ? [new BearerTransport(session, shopId)]
    : [];
  const cookies = tokenMethods.includes("cookie") ? [new CookieTransport(session)] : [];
  return { all: [...withoutCookies, ...cookies], withoutCookies };
}
