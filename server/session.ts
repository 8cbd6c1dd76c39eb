import type { CallSession } from "../rpc/session.ts";
import type { Session, Sessions } from "../storage/sessions.ts";
import type { SessionCookie } from "./cookie.ts";
import type { SessionOptions } from "./options.ts";

/** What a request brought: a living session, or none. */
export interface Presented {
  readonly session: Session | undefined;
  /** The browser should be given its session anew: the secret of the signature is on its way out. */
  readonly isOld: boolean;
}

/** Finds the session of a request. A signed id without a record is nobody's: it is never taken up. */
export async function findSession(
  request: Request,
  cookie: SessionCookie,
  sessions: Sessions,
): Promise<Presented> {
  for (const { id, isOld } of await cookie.read(request.headers.get("cookie"))) {
    const session = await sessions.load(id);
    if (session !== undefined) return { session, isOld };
  }
  return { session: undefined, isOld: false };
}

/** What the browser must be told of its session at the end of a call; mostly nothing. */
export async function toSetCookie(
  presented: Presented,
  call: CallSession,
  cookie: SessionCookie,
  { maxAge, absoluteTimeout }: SessionOptions,
  isSecure: boolean,
): Promise<string | undefined> {
  if (call.ended) return presented.session && cookie.clear(isSecure);
  const record = call.current?.record;
  if (record === undefined) return undefined;
  const isSame = record.id === presented.session?.record.id;
  if (isSame && !call.extended && !presented.isOld) return undefined;
  const age = (Date.now() - record.createdAt) / 1000;
  const rest = Math.ceil((absoluteTimeout ?? Infinity) - age);
  return cookie.serialize(record.id, {
    isSecure,
    maxAge: record.transient ? undefined : Math.min(maxAge, rest),
  });
}
