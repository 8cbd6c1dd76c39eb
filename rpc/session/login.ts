import { storeLoginGrant } from "#commerce";
import { copyOf } from "../../shared/copy.ts";
import type { ShopUser } from "../../storage/sessions/session-record.ts";
import type { LoginOptions } from "../context.ts";
import { mergeLists } from "../lists/merge-lists.ts";
import type { MergeReport } from "../lists/transfer.ts";
import type { CallSession } from "./call-session.ts";
import { toStoredUser } from "./record-changes.ts";

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
  const stored = toStoredUser(user);
  assertLabel(options.label);
  session.takeUser();
  // The tokens belong to the old user.
  session.tokens.clear();
  return bindUser(session, stored, options);
}

/** Logs in a user that {@link toStoredUser} has copied, and keeps the tokens that the call has set. */
export async function bindUser(
  session: CallSession,
  user: ShopUser,
  { rememberMe, label }: LoginOptions = {},
): Promise<MergeReport> {
  session.current ??= await session.sharedGuest?.close();
  if (session.current !== undefined && session.hasChanges) await session.writeNoted();
  const bound = await session.writable.sessions.bind(session.current, {
    // A hook can change its user.
    user: copyOf(user),
    since: await session.lastRevocation,
    userAgent: session.call.request.client.headers.get("user-agent")?.slice(0, 256),
    transport: session.transport,
    label,
    transient: rememberMe === false ? true : undefined,
    others: session.others,
    prepare: (begun) => storeLoginGrant(session, begun),
  });
  session.others = [];
  session.replace(bound.session);
  const merge = await mergeLists(session, user, bound.pendingMerges);
  const toEvent = () => ({ context: session.context, user, merge });
  await session.call.notify("storefront:afterLogin", toEvent);
  return merge;
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
