import type { CallSession } from "../../rpc/session/call-session.ts";
import type { SessionRecord } from "../../storage/sessions/session-record.ts";
import type { SessionLookup } from "./lookup.ts";
import type { HeaderEntry, SessionTransport } from "./transport.ts";
import type { SessionTransportName } from "./transports.ts";

/** The transport of a session that this call begins. */
export function transportOf(
  lookup: SessionLookup,
  transports: readonly SessionTransport[],
): SessionTransportName {
  const transport = findUsed(lookup) ?? (transports.length === 1 ? transports[0] : undefined);
  return transport === undefined ? "both" : (transport.name as SessionTransportName);
}

/** A call with its session, and the transports that can issue a session. */
export interface Visit {
  readonly lookup: SessionLookup;
  readonly session: CallSession;
  readonly transports: readonly SessionTransport[];
  /** Whether to issue the session again: extended, with a new ID, or with a new signature. */
  isReissueDue: boolean;
}

/** The headers that issue or clear the session's credentials at the end of a call; usually none. */
export function toSessionHeaders(
  { lookup, session: call, transports, isReissueDue }: Visit,
  isSecure: () => boolean,
): readonly HeaderEntry[] {
  const { attempted, gone, needsReissue, otherTransports, transport: own } = lookup;
  const record = call.current?.record;
  const isSame = record?.id === lookup.session?.record.id;
  const isAlone = attempted.length === (own === undefined ? 0 : 1);
  if (isSame && isAlone && !isReissueDue) return none;
  const used = findUsed(lookup);
  const replyVia = used === undefined ? transports : [used];
  // Only a browser must get the new expiry of an extended session.
  const toIssue = (record === undefined ? none : replyVia).filter(
    ({ isAmbient }) => !isSame || (isReissueDue && (needsReissue || isAmbient)),
  );
  const toClear = attempted.filter(({ transport }) => {
    if (toIssue.includes(transport)) return false;
    if (transport === own || otherTransports.includes(transport)) return call.ended;
    return !transport.isAmbient && gone !== "retired";
  });
  return [
    ...toIssue.map((transport) => transport.issue(record as SessionRecord, isSecure())),
    ...toClear.flatMap(({ transport, text }) => transport.clear(text, isSecure())),
  ];
}

// --- Internal helpers ---

const none: readonly never[] = [];

/** The transport of the session, else of the first credential; the first is a token, if the client sent one. */
function findUsed({ transport, attempted }: SessionLookup): SessionTransport | undefined {
  return transport ?? attempted[0]?.transport;
}
