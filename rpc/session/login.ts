import { storeLoginGrant } from "#commerce";
import { describeError } from "../../shared/log.ts";
import type { ShopUser } from "../../storage/sessions/session-record.ts";
import type { PendingMerge } from "../../storage/sessions/user-index.ts";
import type { LoginOptions } from "../context.ts";
import { notify } from "../hooks.ts";
import type { MergeReport } from "../lists/transfer.ts";
import type { CallSession } from "./call-session.ts";
import { assertUser, clearMergePending } from "./record-changes.ts";

/**
 * Binds the session to a user under a new ID, and merges the guest's lists into the user's.
 * @throws TypeError if the user has no valid ID, or the label isn't valid; StorageUnavailableError, SessionEndedError,
 * SessionLimitError
 */
export async function logIn(
  session: CallSession,
  user: ShopUser,
  options: LoginOptions = {},
): Promise<MergeReport> {
  session.assertWritable();
  assertUser(user);
  assertLabel(options.label);
  session.takeUser();
  // The tokens belong to the old user.
  session.tokens.clear();
  return bindUser(session, user, options);
}

/** Logs in a user that is valid already, and keeps the tokens that the call has set. */
export async function bindUser(
  session: CallSession,
  user: ShopUser,
  { rememberMe, label }: LoginOptions = {},
): Promise<MergeReport> {
  const { call, work } = session;
  session.current ??= await session.sharedGuest?.close();
  if (session.current !== undefined && work.hasChanges) await work.writeNoted();
  const bound = await session.writable.sessions.bind(session.current, {
    user: structuredClone(user),
    since: await session.lastRevocation,
    userAgent: call.request.client.headers.get("user-agent")?.slice(0, 256),
    transport: call.transport,
    label,
    transient: rememberMe === false ? true : undefined,
    others: session.others,
    prepare: (begun) => storeLoginGrant(call, begun),
  });
  session.others = [];
  session.replace(bound.session);
  const merge = await mergeLists(session, user, bound.pendingMerges);
  await notify(call, "storefront:afterLogin", () => ({ context: call.context, user, merge }));
  return merge;
}

/** Tries the merges again that failed at a login. @throws StorageUnavailableError */
export async function completePendingMerges(session: CallSession): Promise<void> {
  const user = session.current?.record.user;
  if (user === undefined) return;
  const { pendingMerges } = await session.services.sessions.users.read(user.id);
  await mergeLists(session, user, pendingMerges);
}

// --- Internal helpers ---

const maxLabelLength = 256;

/** @throws TypeError if the label is invalid: your own method set it, not the client */
function assertLabel(label: string | undefined): void {
  if (label === undefined) return;
  if (typeof label === "string" && label !== "" && label.length <= maxLabelLength) return;
  throw new TypeError(
    `The label of a session must be a string of 1 to ${maxLabelLength} characters. Check what createUserBoundSession gets`,
  );
}

/** Merges the guests' lists, and then removes the note from the session. */
async function mergeLists(
  session: CallSession,
  user: ShopUser,
  pending: readonly PendingMerge[],
): Promise<MergeReport> {
  const report = await session.lists.merge(user.id, pending);
  const { current, services } = session;
  if (report.status !== "none") {
    const outcome = report.status === "pending" ? "owed" : "done";
    services.observer?.merge(services.shop.shopId, outcome);
  }
  if (report.status === "pending" || !current?.record.mergePending) return report;
  try {
    session.current = await services.sessions.update(current, clearMergePending);
  } catch (error) {
    // The next call checks again, and finds nothing to merge.
    session.call.log.warn(
      "A merge is done, but the session still lists it as pending; the next call checks again",
      { error: describeError(error) },
    );
  }
  return report;
}
