import { BearerTransport } from "./bearer.ts";
import { CookieTransport } from "./cookie.ts";
import type { Shop } from "./options.ts";
import type { SessionTransport } from "./transport.ts";

/** The ways that a shop's sessions travel, tokens first: who sends one means it. */
export function createTransports({ shopId, session }: Shop): readonly SessionTransport[] {
  const { tokenMethods } = session;
  return [
    ...(tokenMethods.includes("bearer") ? [new BearerTransport(session, shopId)] : []),
    ...(tokenMethods.includes("cookie") ? [new CookieTransport(session)] : []),
  ];
}
