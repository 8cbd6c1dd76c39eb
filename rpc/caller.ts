import type { Logger } from "../storage/log.ts";
import type { SessionTransportName, ShopUser } from "../storage/session-record.ts";
import type { CallDeadline } from "./deadline.ts";
import type { MergeReport } from "./merge.ts";
import type { Redactor } from "./redactor.ts";

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
