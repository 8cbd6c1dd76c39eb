import type { CallSession } from "../rpc/session.ts";
import type { SessionRecord, SessionTransportName } from "../storage/session-record.ts";
import type { Session } from "../storage/session-records.ts";
import { SessionReusedError, type Sessions } from "../storage/sessions.ts";
import type { Header, PresentedId, SessionTransport } from "./transport.ts";

/** What a request brought: a living session, or none, and by which ways it tried. */
export interface Presented {
  readonly session: Session | undefined;
  /** How the living session came. */
  readonly by: SessionTransport | undefined;
  /** The ways that carried anything, dead or alive. */
  readonly tried: readonly SessionTransport[];
  /** The client should be given its session anew: the id, or the secret of its signature, is on its way out. */
  readonly isOld: boolean;
  /** Sessions that were ended because an id came that had been replaced before. */
  readonly reused: readonly SessionReusedError[];
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
  const known = carried.length === 1 ? findKnown(carried[0] as Carried, sessions) : undefined;
  return known ?? findAmong(carried, sessions);
}

/** By which way the client is given a session, if this call begins one. */
export function transportOf(
  presented: Presented,
  transports: readonly SessionTransport[],
): SessionTransportName {
  const speakers = findSpeakers(presented, transports);
  return speakers.length === 1 ? (speakers[0] as SessionTransport).name : "both";
}

/** What the client must be told of its session at the end of a call; mostly nothing. */
export function toSessionHeaders(
  presented: Presented,
  call: CallSession,
  transports: readonly SessionTransport[],
  isSecure: () => boolean,
): readonly Header[] {
  const record = call.current?.record;
  const isSame = record?.id === presented.session?.record.id;
  const isAlone = presented.tried.length === (presented.by === undefined ? 0 : 1);
  if (isSame && isAlone && !presented.isOld && !call.extended) return none;
  const speakers = findSpeakers(presented, transports);
  const isDue = ({ tellsExtension }: SessionTransport) =>
    !isSame || presented.isOld || (call.extended && tellsExtension);
  const givers = record === undefined ? [] : speakers.filter(isDue);
  // A dead token is taken back; a dead cookie is not, for a login in a parallel call may just have set it.
  const takers = presented.tried.filter((transport) => {
    if (givers.includes(transport)) return false;
    return transport === presented.by ? call.ended : transport.name === "bearer";
  });
  const given = givers.map((transport) => transport.give(record as SessionRecord, isSecure()));
  return [...given, ...takers.map((transport) => transport.take(isSecure()))];
}

// --- Internal helpers ---

/** What a request carries by one way. */
interface Carried {
  readonly by: SessionTransport;
  readonly text: string;
}

const none: readonly never[] = [];

const nothing: Presented = {
  session: undefined,
  by: undefined,
  tried: none,
  isOld: false,
  reused: none,
};

/** What a client has who sends one id, if that is known without waiting, as it mostly is; or none that is valid. */
function findKnown({ by, text }: Carried, sessions: Sessions): Presented | undefined {
  const ids = by.verify(text);
  if (ids.length === 0) return { ...nothing, tried: [by] };
  const [{ id, isOld }] = ids as readonly [PresentedId];
  const session = ids.length === 1 ? sessions.peek(id) : undefined;
  return session && { session, by, tried: [by], isOld, reused: none };
}

async function findAmong(carried: readonly Carried[], sessions: Sessions): Promise<Presented> {
  const tried = carried.map(({ by }) => by);
  const reused: SessionReusedError[] = [];
  for (const { by, text } of carried) {
    for (const { id, isOld } of by.verify(text)) {
      try {
        const session = await sessions.load(id);
        if (session === undefined) continue;
        return { session, by, tried, isOld: isOld || session.record.id !== id, reused };
      } catch (error) {
        if (!(error instanceof SessionReusedError)) throw error;
        reused.push(error);
      }
    }
  }
  return { session: undefined, by: undefined, tried, isOld: false, reused };
}

/** The way the session came; else the way that was tried, a token before a cookie; else all. */
function findSpeakers(
  { by, tried }: Presented,
  transports: readonly SessionTransport[],
): readonly SessionTransport[] {
  const speaker = by ?? tried[0];
  return speaker === undefined ? transports : [speaker];
}
