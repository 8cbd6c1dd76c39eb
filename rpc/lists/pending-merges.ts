import { describeError } from "../../shared/log.ts";
import type { ShopUser } from "../../storage/sessions/session-record.ts";
import type { PendingMerge } from "../../storage/sessions/user-index.ts";
import type { ShopServices } from "../shop-services.ts";
import type { Call } from "../call.ts";
import type { MergeReport } from "./transfer.ts";
import type { VisitorLists } from "./visitor-lists.ts";
import { clearMergePending } from "../session/record-changes.ts";
import type { SessionWork } from "../session/unit-of-work.ts";

/** The pending merges of a call's user. */
export class PendingMerges {
  readonly #backend: ShopServices;
  readonly #work: SessionWork;
  readonly #call: Call;
  readonly #lists: () => VisitorLists;

  constructor(backend: ShopServices, work: SessionWork, call: Call, lists: () => VisitorLists) {
    this.#lists = lists;
    this.#backend = backend;
    this.#work = work;
    this.#call = call;
  }

  /** Completes the merges that failed at a login. */
  async completeOwed(): Promise<void> {
    const user = this.#work.current?.record.user;
    if (user === undefined) return;
    const { pendingMerges } = await this.#backend.sessions.users.read(user.id);
    await this.complete(user, pendingMerges);
  }

  /** Merges the guests' lists, and then removes the note from the session. */
  async complete(user: ShopUser, pending: readonly PendingMerge[]): Promise<MergeReport> {
    const report = await this.#lists().merge(user.id, pending, this.#call.log);
    const { current } = this.#work;
    if (report.status === "pending" || !current?.record.mergePending) return report;
    try {
      this.#work.adopt(await this.#backend.sessions.update(current, clearMergePending));
    } catch (error) {
      // The next call checks again, and finds nothing to do.
      this.#call.log.warn(
        "A merge is done, but the session still lists it as pending; the next call checks again",
        {
          error: describeError(error),
        },
      );
    }
    return report;
  }
}
