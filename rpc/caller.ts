import type { Logger } from "../shared/log.ts";
import type { SessionTransportName, ShopUser } from "../storage/sessions/session-record.ts";
import type { CallDeadline } from "./call-deadline.ts";
import type { MergeReport } from "./lists/merge.ts";
import type { Redactor } from "./redaction/redactor.ts";

/** What a session needs of the call that it is in. */
export interface Caller {
  readonly userAgent: string | undefined;
  /** How the client is given a session. */
  readonly transport: SessionTransportName;
  readonly deadline: CallDeadline;
  readonly redactor: Redactor;
  readonly log: Logger;
  /** The session was bound to a user. */
  afterLogin(user: ShopUser, merge: MergeReport): Promise<void>;
  /** The session of a user was ended. */
  afterLogout(user: ShopUser): Promise<void>;
}
