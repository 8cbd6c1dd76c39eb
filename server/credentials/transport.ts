import type { SessionRecord } from "../../storage/sessions/session-record.ts";

/** A session id that came with a valid signature. */
export interface VerifiedId {
  readonly id: string;
  /** Signed by a secret that is being rotated out. */
  readonly isOld: boolean;
}

/** A header of an answer. */
export type HeaderEntry = [name: string, value: string];

/** A way for the reference to a session to travel: in a cookie, or as a bearer token. */
export interface SessionTransport {
  readonly name: "cookie" | "bearer";
  /** Whether the client is told that its session lives longer. */
  readonly tellsExtension: boolean;
  /** What a request carries by this way; `undefined` for nothing, dead or alive. */
  read(headers: Headers): string | undefined;
  /** The last 8 validly signed IDs in it, each once. */
  verify(carried: string): readonly VerifiedId[];
  /** Gives the client a session. */
  issue(record: SessionRecord, isSecure: boolean): HeaderEntry;
  /** Takes the session from the client, who sent this. */
  clear(isSecure: boolean, carried: string): readonly HeaderEntry[];
}
