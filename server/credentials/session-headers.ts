import type { CallSession } from "../../rpc/session/call-session.ts";
import type { SessionRecord, SessionTransportName } from "../../storage/sessions/session-record.ts";
import type { Presented } from "./lookup.ts";
import type { HeaderEntry, SessionTransport } from "./transport.ts";

/** By which way the client is given a session, if this call begins one. */
export function transportOf(
  presented: Presented,
  transports: readonly SessionTransport[],
): SessionTransportName {
  const speakers = findSpeakers(presented, transports);
  return speakers.length === 1 ? (speakers[0] as SessionTransport).name : "both";
}

/** A call with its session, and the transports that return the session. */
export interface Visit {
  readonly presented: Presented;
  readonly session: CallSession;
  readonly transports: readonly SessionTransport[];
  /** Whether to send the session again: extended, with a new ID, or with a new signature. */
  tellsAgain: boolean;
}

/** What the client must be told of its session at the end of a call; mostly nothing. */
export function toSessionHeaders(visit: Visit, isSecure: () => boolean): readonly HeaderEntry[] {
  const { presented, session: call, transports, tellsAgain } = visit;
  const { by, carried, gone, isOld, othersBy } = presented;
  const record = call.current?.record;
  const isSame = record?.id === presented.session?.record.id;
  const isAlone = carried.length === (by === undefined ? 0 : 1);
  if (isSame && isAlone && !tellsAgain) return none;
  const speakers = findSpeakers(presented, transports);
  const isDue = ({ tellsExtension }: SessionTransport) =>
    !isSame || (tellsAgain && (isOld || tellsExtension));
  const givers = record === undefined ? [] : speakers.filter(isDue);
  // A dead token is taken back; a dead cookie is not, for a login in a parallel call may just have set it.
  const takers = carried.filter((one) => {
    if (givers.includes(one.by)) return false;
    if (one.by === by || othersBy.includes(one.by)) return call.ended;
    return one.by.name === "bearer" && gone !== "retired";
  });
  const given = givers.map((transport) => transport.issue(record as SessionRecord, isSecure()));
  return [...given, ...takers.flatMap((one) => one.by.clear(isSecure(), one.text))];
}

// --- Internal helpers ---

const none: readonly never[] = [];

/** The way the session came; else the way that was tried, a token before a cookie; else all. */
function findSpeakers(
  { by, carried }: Presented,
  transports: readonly SessionTransport[],
): readonly SessionTransport[] {
  const speaker = by ?? carried[0]?.by;
  return speaker === undefined ? transports : [speaker];
}
