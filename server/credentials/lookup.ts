import type { CallSessions } from "../../rpc/session/call-sessions.ts";
import type { Session } from "../../storage/sessions/session-records.ts";
import type {
  SessionLookup,
  SessionReuse,
  SessionStore,
} from "../../storage/sessions/session-store.ts";
import type { VerifiedId, SessionTransport } from "./transport.ts";

/** The credential that a request has by one transport. */
export interface Carried {
  readonly by: SessionTransport;
  readonly text: string;
}

/** The result of the session lookup: the active session, if any, and the transports that the request used. */
export interface Presented extends CallSessions {
  /** The transport of the active session. */
  readonly by: SessionTransport | undefined;
  /** The transports of the other active sessions. */
  readonly othersBy: readonly SessionTransport[];
  /** All credentials of the request, valid or not. */
  readonly carried: readonly Carried[];
  /** Whether to send the session again, because its ID was renewed or its signing secret is being rotated out. */
  readonly isOld: boolean;
  /** Without an active session: whether a session ID was replaced or ended a moment ago. */
  readonly gone: "retired" | "ended" | undefined;
  /** Sessions that the lookup ended, because the client used an old ID after its grace period. */
  readonly reused: readonly SessionReuse[];
}

/**
 * Finds the session of a request by each transport: a stale cookie doesn't hide a valid token, and the reverse.
 * The server never adopts a signed ID without a record.
 */
export function findSession(
  headers: Headers,
  transports: readonly SessionTransport[],
  sessions: SessionStore,
): Presented | Promise<Presented> {
  const carried: Carried[] = [];
  for (const by of transports) {
    const text = by.read(headers);
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

/** A validly signed ID. */
interface Candidate extends VerifiedId {
  readonly by: SessionTransport;
}

/** A validly signed ID, and its state. */
interface Tried extends Candidate {
  readonly lookup: SessionLookup;
}

interface Active extends Tried {
  readonly lookup: Extract<SessionLookup, { state: "active" }>;
}

/** The result for a client that sends at most one valid ID, if it is known without waiting, as it usually is. */
function findKnown(carried: readonly Carried[], sessions: SessionStore): Presented | undefined {
  const [{ by, text }] = carried as readonly [Carried];
  const ids = by.verify(text);
  if (ids.length === 0) return { ...nothing, carried };
  const [{ id, isOld }] = ids as readonly [VerifiedId];
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

async function findAmong(carried: readonly Carried[], sessions: SessionStore): Promise<Presented> {
  const tried = await lookUpAll(carried, sessions);
  const active = tried.filter((one): one is Active => one.lookup.state === "active");
  const reused = tried.flatMap(({ lookup }) => (lookup.state === "reused" ? lookup.reuse : none));
  const [first] = active;
  if (first === undefined) return { ...nothing, carried, gone: findGone(tried), reused };
  const { session, isRenewed } = first.lookup;
  return {
    session,
    others: active.length === 1 ? none : findOthers(session, active),
    isRenewed,
    by: first.by,
    othersBy: active.length === 1 ? none : active.slice(1).map(({ by }) => by),
    carried,
    isOld: first.isOld || isRenewed,
    gone: undefined,
    reused,
  };
}

function lookUpAll(carried: readonly Carried[], sessions: SessionStore): Promise<Tried[]> {
  const lookups: Promise<Tried>[] = [];
  for (const { by, text } of carried) {
    for (const { id, isOld } of by.verify(text)) lookups.push(lookUp({ by, id, isOld }, sessions));
  }
  return Promise.all(lookups);
}

// Without a spread: after it, V8 gives each object a hidden class of its own (docs/speed.md).
async function lookUp({ by, id, isOld }: Candidate, sessions: SessionStore): Promise<Tried> {
  return { by, id, isOld, lookup: await sessions.lookUp(id) };
}

/** The other active sessions, each once: an old and a new ID can resolve to the same session. */
function findOthers(session: Session, active: readonly Active[]): readonly Session[] {
  const byId = new Map(active.map(({ lookup }) => [lookup.session.record.id, lookup.session]));
  byId.delete(session.record.id);
  return [...byId.values()];
}

/** "Replaced" wins over "ended", because the client can then send the request again. */
function findGone(tried: readonly Tried[]): Presented["gone"] {
  const states = new Set(tried.map(({ lookup }) => lookup.state));
  if (states.has("retired")) return "retired";
  return states.has("ended") || states.has("reused") ? "ended" : undefined;
}
