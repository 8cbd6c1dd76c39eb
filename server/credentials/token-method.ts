/** The names of the transports in `session.tokenMethod`. */
export const tokenMethods = ["cookie", "bearer"] as const;

/** The name of a transport. */
export type TokenMethod = (typeof tokenMethods)[number];

/** How a user's session was issued: by one transport, or by several. */
export type SessionTransportName = TokenMethod | "both";
