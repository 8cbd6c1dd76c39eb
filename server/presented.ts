import type { CallSessions } from "../rpc/call-sessions.ts";
import type { Session } from "../storage/session-records.ts";
import type { SessionLookup, SessionReuse, Sessions } from "../storage/sessions.ts";
import type { PresentedId, SessionTransport } from "./transport.ts";

/** What a request carries by one way. */
export interface Carried {
  readonly by: SessionTransport;
  readonly text: string;
}

/** What a request brought: an active session, or none, and by which ways it tried. */
export interface Presented extends CallSessions {
  /** How the active session came. */
  readonly by: SessionTransport | undefined;
  /** How the other active ones came. */
  readonly othersBy: readonly SessionTransport[];
  /** All that was carried, with an active session or without. */
  readonly carried: readonly Carried[];
  /** The client should be given its session anew: the id, or the secret of its signature, is on its way out. */
  readonly isOld: boolean;
  /** Without an active session: whether one was replaced or ended a moment ago. */
  readonly gone: "retired" | "ended" | undefined;
  /** Sessions that were ended because an id came that had been replaced before. */
  readonly reused: readonly SessionReuse[];
}

/**
 * Finds the session of a request, trying each way: a stale cookie hides no valid token, nor the other
 * way round. A signed id without a record is nobody's: it is never taken up.
 */
export function findSession(
  headers: Headers,
  transports: readonly SessionTransport[],
  sessions: Sessions,
): Presented | Promise<Presented> {
  const carried: Carried[] = [];
  for (const by of transports) {
    const text = by.find(headers);
    if (text !== undefined) carried.push({ by, text });
  }
  if (carried.length === 0) return nothing;
  const known = carried.length === 1 ? findKnown(carried, sessions) : undefined;
  return known ?? findAmong(carried, sessions);
}

// --- Internal helpers ---

const none: readonly never[] = [];

const nothing: Presented = {
  session: undefined,
  others: none,
  isRenewed: false,
  by: undefined,
  othersBy: none,
  carried: none,
  isOld: false,
  gone: undefined,
  reused: none,
};

/** A valid ID, and what became of it. */
interface Tried extends PresentedId {
  readonly by: SessionTransport;
  readonly lookup: SessionLookup;
}

interface Active extends Tried {
  readonly lookup: Extract<SessionLookup, { state: "active" }>;
}

/** What a client has who sends one id, if that is known without waiting, as it mostly is; or none that is valid. */
function findKnown(carried: readonly Carried[], sessions: Sessions): Presented | undefined {
  const [{ by, text }] = carried as readonly [Carried];
  const ids = by.verify(text);
  if (ids.length === 0) return { ...nothing, carried };
  const [{ id, isOld }] = ids as readonly [PresentedId];
  const session = ids.length === 1 ? sessions.peek(id) : undefined;
  if (session === undefined) return undefined;
  return {
    session,
    others: none,
    isRenewed: false,
    by,
    othersBy: none,
    carried,
    isOld,
    gone: undefined,
    reused: none,
  };
}

async function findAmong(carried: readonly Carried[], sessions: Sessions): Promise<Presented> {
  const ids = carried.flatMap(({ by, text }) => by.verify(text).map((id) => ({ by, ...id })));
  const tried = await Promise.all(
    ids.map(async (id): Promise<Tried> => ({ ...id, lookup: await sessions.lookUp(id.id) })),
  );
  const active = tried.filter((one): one is Active => one.lookup.state === "active");
  const reused = tried.flatMap(({ lookup }) => (lookup.state === "reused" ? lookup.reuse : []));
  const [first] = active;
  if (first === undefined) return { ...nothing, carried, gone: findGone(tried), reused };
  const { session, isRenewed } = first.lookup;
  return {
    session,
    others: findOthers(session, active),
    isRenewed,
    by: first.by,
    othersBy: active.slice(1).map(({ by }) => by),
    carried,
    isOld: first.isOld || isRenewed,
    gone: undefined,
    reused,
  };
}

/** The other active sessions, each once: an old and a new ID may lead to the same one. */
function findOthers(session: Session, active: readonly Active[]): readonly Session[] {
  const byId = new Map(active.map(({ lookup }) => [lookup.session.record.id, lookup.session]));
  byId.delete(session.record.id);
  return [...byId.values()];
}

/** A client whose ID was replaced is to try again, so that counts before an end. */
function findGone(tried: readonly Tried[]): Presented["gone"] {
  const states = new Set(tried.map(({ lookup }) => lookup.state));
  if (states.has("retired")) return "retired";
  return states.has("ended") || states.has("reused") ? "ended" : undefined;
}
