import type { CallSessions } from "../../rpc/session/call-session.ts";
import type { Session } from "../../storage/sessions/session.ts";
import type {
  SessionIdState,
  SessionReuse,
  SessionStore,
} from "../../storage/sessions/session-store.ts";
import type { SessionTransport, VerifiedId } from "./transport.ts";

/** The credential that a request sent by one transport. */
export interface Credential {
  readonly transport: SessionTransport;
  readonly text: string;
  /** The IDs in it with a valid signature; none if the credential is invalid. */
  readonly ids: readonly VerifiedId[];
}

/** The result of the session lookup: the active session, if any, and the transports that the request used. */
export interface SessionLookup extends CallSessions {
  /** The transport of the active session. */
  readonly transport: SessionTransport | undefined;
  /** The transports of the other active sessions. */
  readonly otherTransports: readonly SessionTransport[];
  /** All credentials of the request. */
  readonly attempted: readonly Credential[];
  /** Whether to issue the session again, because its ID was renewed or its signing secret is being rotated out. */
  readonly needsReissue: boolean;
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
): SessionLookup | Promise<SessionLookup> {
  const attempted: Credential[] = [];
  for (const transport of transports) {
    const text = transport.read(headers);
    if (text !== undefined) attempted.push({ transport, text, ids: transport.verify(text) });
  }
  if (attempted.length === 0) return nothing;
  return findKnown(attempted, sessions) ?? findAmong(attempted, sessions);
}

// --- Internal helpers ---

const none: readonly never[] = [];

/** The lookup of a request without a credential. */
const nothing: SessionLookup = {
  session: undefined,
  others: none,
  isRenewed: false,
  transport: undefined,
  otherTransports: none,
  attempted: none,
  needsReissue: false,
  gone: undefined,
  reused: none,
};

/** The lookup of a request with one valid ID, if this process knows its session: it needs no waiting. */
function findKnown(
  attempted: readonly Credential[],
  sessions: SessionStore,
): SessionLookup | undefined {
  const [{ transport, ids }] = attempted as readonly [Credential];
  if (attempted.length !== 1 || ids.length !== 1) return undefined;
  const [{ id, isOld }] = ids as readonly [VerifiedId];
  const session = sessions.peek(id);
  if (session === undefined) return undefined;
  return {
    session,
    others: none,
    isRenewed: false,
    transport,
    otherTransports: none,
    attempted,
    needsReissue: isOld,
    gone: undefined,
    reused: none,
  };
}

async function findAmong(
  attempted: readonly Credential[],
  sessions: SessionStore,
): Promise<SessionLookup> {
  const lookups = attempted.flatMap(({ transport, ids }) =>
    ids.map(async ({ id, isOld }) => ({ transport, isOld, state: await sessions.lookUp(id) })),
  );
  const results = await Promise.all(lookups);
  const states = results.map(({ state }) => state);
  const reused = states.flatMap((state) => (state.state === "reused" ? state.reuse : none));
  const active = results.flatMap(({ transport, isOld, state }) =>
    state.state === "active" ? [{ transport, isOld, state }] : [],
  );
  const [first, ...others] = active;
  if (first === undefined) return { ...nothing, attempted, gone: findGone(states), reused };
  const { session, isRenewed } = first.state;
  return {
    session,
    others: findOthers(
      session,
      others.map(({ state }) => state.session),
    ),
    isRenewed,
    transport: first.transport,
    otherTransports: others.map(({ transport }) => transport),
    attempted,
    needsReissue: first.isOld || isRenewed,
    gone: undefined,
    reused,
  };
}

/** The other active sessions, each once: an old and a new ID can resolve to the same session. */
function findOthers(session: Session, others: readonly Session[]): readonly Session[] {
  if (others.length === 0) return none;
  const byId = new Map(others.map((other) => [other.record.id, other]));
  byId.delete(session.record.id);
  return [...byId.values()];
}

/** "Replaced" wins over "ended", because the client can then send the request again. */
function findGone(states: readonly SessionIdState[]): SessionLookup["gone"] {
  const names = new Set(states.map(({ state }) => state));
  if (names.has("retired")) return "retired";
  return names.has("ended") || names.has("reused") ? "ended" : undefined;
}
