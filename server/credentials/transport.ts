import type { TokenMethod } from "../config/keys/session-keys.ts";
import type { SessionRecord } from "../../storage/sessions/session-record.ts";

/** A session ID with a valid signature. */
export interface VerifiedId {
  readonly id: string;
  /** Whether the secret that signed it is being rotated out. */
  readonly isOld: boolean;
}

/** A response header. */
export type HeaderEntry = [name: string, value: string];

/** A way to send the session credential between the clients and the server of one shop. */
export interface SessionTransport {
  readonly name: TokenMethod;
  /**
   * Whether browsers store the credential and send it by themselves. Then a page of another site can send it (CSRF),
   * and the browser must get the new expiry. An invalid one isn't cleared: a parallel login may have replaced it.
   */
  readonly isAmbient: boolean;
  /** The headers that carry credentials; the name of the request header is in lower case. */
  readonly credentialHeaders: { readonly request: string; readonly response: string };
  /** For the OpenAPI document: the security scheme, and the description of the response header. */
  readonly openApi: { readonly scheme: Readonly<Record<string, string>>; readonly issued: string };
  /** The credential that a request sends, valid or not. */
  read(headers: Headers): string | undefined;
  /** The IDs in a credential, if their signature is valid: each once, and the last 8 only. */
  verify(credential: string): readonly VerifiedId[];
  /** The header that gives the client a credential. */
  issue(record: SessionRecord, isSecure: boolean): HeaderEntry;
  /** The headers that delete the credential that the client sent. */
  clear(credential: string, isSecure: boolean): readonly HeaderEntry[];
  /** Whether a response header is a credential. `name` is in lower case. */
  isIssued(name: string, value: string): boolean;
  /** Sends an issued credential back: changes the headers of the client's next request as the client does. */
  sendBack(headers: Headers, issued: string): void;
  /** The texts in a request that have the form of a credential, valid or not. */
  findSecrets(headers: Headers): readonly string[];
}
