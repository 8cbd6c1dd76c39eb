import type { Collection, DocumentStore } from "../../storage/documents/documents.ts";
import { toKeySegment } from "../../storage/documents/key.ts";
import { isUserId, type ShopUser } from "../../storage/sessions/session-record.ts";
import { isPasswordHash } from "./password.ts";

/** An account of a realm, in a document of its email address. */
export interface Account {
  readonly user: ShopUser;
  /** The stored value, which another program may have written, malformed. */
  readonly passwordHash?: unknown;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** The key to which a change of the email address moves the account. */
  readonly movingTo?: string | undefined;
  /** The last token for a new password. Each change of the password or the address removes it. */
  readonly reset?: StoredToken | undefined;
  /** The last token that verifies the address. A change of the address removes it. */
  readonly verification?: StoredToken | undefined;
}

/** A token that a mail carries, as the account has it. */
export interface StoredToken {
  readonly hash: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** The documents of the built-in accounts. */
export type AccountDocuments = ReturnType<typeof openAccountDocuments>;

/** Opens the documents of the built-in accounts; each function takes the name of a realm. */
export function openAccountDocuments(store: DocumentStore) {
  const open = <T>(name: string, realm: string, isValid: (value: unknown) => value is T) =>
    store.collection(`${name}:${toKeySegment(realm)}`, isValid);
  return {
    clock: store.clock,
    random: store.random,
    accountsOf: (realm: string): Collection<Account> =>
      store.collection(`account:${toKeySegment(realm)}`, isAccount, "refuse"),
    changesOf: (realm: string) => open("password-change", realm, isPasswordChange),
    /** The keys of accounts by the hashes of their tokens. */
    tokensOf: (realm: string) => open("account-token", realm, isTokenTarget),
  };
}

/** Converts an email address to one spelling. */
export function normalizeEmail(email: string): string {
  return email.normalize("NFC").trim().toLowerCase();
}

export function toAccountKey(email: string): string {
  return toKeySegment(normalizeEmail(email));
}

/** Compares IDs, because the user of a session can have any email address. */
export function isOwnedBy(account: Account | undefined, user: ShopUser): account is Account {
  return account !== undefined && String(account.user.id) === String(user.id);
}

/** Stops writes after a timeout, because the client has its response. A call whose client disconnected continues. */
export function assertInTime({ reason }: AbortSignal): void {
  if (reason instanceof DOMException && reason.name === "TimeoutError") throw reason;
}

// --- Internal helpers ---

function isAccount(value: unknown): value is Account {
  const { user } = (value ?? {}) as { user?: Partial<ShopUser> };
  return isUserId(user?.id);
}

/**
 * Whether a stored value is a password change, which repeats one that failed midway: the hashes of the old and of the new
 * password. A client can repeat the change while the account has the new one.
 */
function isPasswordChange(value: unknown): value is { readonly from: string; readonly to: string } {
  const { from, to } = (value ?? {}) as { readonly from?: unknown; readonly to?: unknown };
  return isPasswordHash(from) && typeof to === "string";
}

function isTokenTarget(value: unknown): value is { readonly account: string } {
  return typeof (value as { readonly account?: unknown } | null)?.account === "string";
}
