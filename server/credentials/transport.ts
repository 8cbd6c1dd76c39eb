import type { SessionRecord } from "../../storage/sessions/session-record.ts";

/** A session id that came with a valid signature. */
export interface PresentedId {
  readonly id: string;
  /** Signed by a secret that is being rotated out. */
  readonly isOld: boolean;
}

/** A header of an answer. */
export type Header = [name: string, value: string];

/** A way for the reference to a session to travel: in a cookie, or as a bearer token. */
export interface SessionTransport {
  readonly name: "cookie" | "bearer";
  /** Whether the client is told that its session lives longer. */
  readonly tellsExtension: boolean;
  /** What a request carries by this way; `undefined` for nothing, dead or alive. */
  find(headers: Headers): string | undefined;
  /** The last 8 validly signed IDs in it, each once. */
  verify(carried: string): readonly PresentedId[];
  /** Gives the client a session. */
  give(record: SessionRecord, isSecure: boolean): Header;
  /** Takes the session from the client, who sent this. */
  take(isSecure: boolean, carried: string): readonly Header[];
}
