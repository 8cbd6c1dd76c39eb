import type { Random } from "../random.ts";
import type { ListKind } from "./list-kind.ts";
import { isStoredAnswers, type StoredAnswer } from "./stored-answer.ts";

/** The logged-in user. Add your own fields by declaration merging. */
export interface ShopUser {
  /** A positive integer, or a string of 1 to 64 characters; `7` and `"7"` are the same user. */
  readonly id: string | number;
  readonly email?: string;
  /** Whether the user has verified the email address. Absent if the config had no `mailer`. */
  readonly emailVerified?: boolean | undefined;
  readonly firstName?: string;
  readonly lastName?: string;
}

/** The data of your methods in a session. Declare its fields by declaration merging. */
export interface SessionCustomData {}

/** The record of a session. Dates are epoch milliseconds. */
export interface SessionRecord {
  /** Guest: a random UUID; logged in: `<userId>:<random UUID>`. */
  readonly id: string;
  /** The time of the login, or of a guest's first write. */
  readonly createdAt: number;
  /** When the ID was issued, if that was later. */
  readonly idIssuedAt?: number | undefined;
  /** When the user last authenticated, if that was after the login. */
  readonly authenticatedAt?: number | undefined;
  /** The generation of the session: if its shop has another one, the session has ended. */
  readonly generation?: string | undefined;
  /** Instead of `generation`, in sessions of earlier versions, which counted generations; absent: 0. */
  readonly epoch?: number | undefined;
  /** When the session was last extended, if it was: at most a tenth of the idle timeout before its last use. */
  readonly lastSeenAt?: number | undefined;
  /** Public ID of the session; not a credential. */
  readonly handle: string;
  /** First key of the guest's lists: the handle, so that no key contains the session ID. */
  readonly ownerKey: string;
  /** Keys of the guest's lists. Each is written before its list. */
  readonly belongings?: Readonly<Partial<Record<ListKind, string>>> | undefined;
  readonly user?: ShopUser | undefined;
  readonly customData: Readonly<Record<string, unknown>>;
  /** Tokens of a commerce system, sealed for this session. A login doesn't copy them. */
  readonly tokens?: string | undefined;
  /** When the access token expires, if that is known: the tokens with the later time are newer. */
  readonly tokensExpireAt?: number | undefined;
  /** The answers to calls with an `Idempotency-Key`, the oldest first. */
  readonly answers?: readonly StoredAnswer[] | undefined;
  /** How often `obtainTokens` replaced the tokens: a slower call then doesn't replace them; absent: never. */
  readonly tokenRenewals?: number | undefined;
  /** The cookie ends with the browser. */
  readonly transient?: boolean | undefined;
  /** A merge at login is pending. */
  readonly mergePending?: boolean | undefined;
  /** When a renewed ID was first used, in epoch milliseconds; 0: not yet. Absent: it was not renewed. */
  readonly firstUsedAt?: number | undefined;
  /** Never set: distinguishes a record from a mark. */
  readonly mark?: undefined;
}

/** The fields that survive a login: the new session has them from the old one. */
export const inheritedFields = [
  "customData",
  "answers",
] as const satisfies readonly (keyof SessionRecord)[];

/** The stored form of a record, without the fields that follow from its key and its other fields. */
export type StoredRecord = Omit<SessionRecord, "id" | "ownerKey" | "customData"> & {
  readonly id?: string | undefined;
  readonly ownerKey?: string | undefined;
  readonly customData?: SessionRecord["customData"] | undefined;
  /** Earlier versions stored the mark of a renewed ID as a record. */
  readonly replacedBy?: { readonly id: string; readonly at: number } | undefined;
};

/** Whether a value is a whole record. */
export function isSessionRecord(value: unknown): value is SessionRecord {
  if (!isStoredRecord(value)) return false;
  const { id, ownerKey, customData } = value;
  return id !== undefined && ownerKey !== undefined && customData !== undefined;
}

/** Whether a stored value is a record. */
export function isStoredRecord(value: unknown): value is StoredRecord {
  if (!isObject(value)) return false;
  const { id, createdAt, generation, lastSeenAt, handle, ownerKey, user, customData } = value;
  const { tokens, tokensExpireAt, tokenRenewals, replacedBy, firstUsedAt, answers, mark } = value;
  const { belongings } = value;
  return (
    mark === undefined &&
    typeof createdAt === "number" &&
    typeof handle === "string" &&
    (id === undefined || typeof id === "string") &&
    (generation === undefined || typeof generation === "string") &&
    (lastSeenAt === undefined || typeof lastSeenAt === "number") &&
    (ownerKey === undefined || typeof ownerKey === "string") &&
    (belongings === undefined || isListKeys(belongings)) &&
    (customData === undefined || isObject(customData)) &&
    (tokens === undefined || typeof tokens === "string") &&
    (tokensExpireAt === undefined || typeof tokensExpireAt === "number") &&
    (tokenRenewals === undefined || typeof tokenRenewals === "number") &&
    (firstUsedAt === undefined || typeof firstUsedAt === "number") &&
    (answers === undefined || isStoredAnswers(answers)) &&
    (replacedBy === undefined || (isObject(replacedBy) && typeof replacedBy["at"] === "number")) &&
    (user === undefined || (isObject(user) && isUserId(user["id"])))
  );
}

/** The most characters of a user ID. */
export const maxUserIdLength = 64;

/** Whether a value is a valid user ID. */
export function isUserId(value: unknown): value is string | number {
  return typeof value === "string"
    ? value.length >= 1 && value.length <= maxUserIdLength && !loneSurrogate.test(value)
    : Number.isSafeInteger(value) && Number(value) > 0;
}

/** Creates a session ID with 122 random bits. */
export function createSessionId(user: ShopUser | undefined, random: Random): string {
  return toSessionId(user, random.uuid());
}

/** The session ID of a user, or of a guest, with this random part. */
export function toSessionId(user: ShopUser | undefined, key: string): string {
  return user === undefined ? key : `${user.id}:${key}`;
}

/** Creates a handle with 122 random bits: at most 25 characters, which are valid in every key. */
export function createHandle(random: Random): string {
  return BigInt(`0x${random.uuid().replaceAll("-", "")}`).toString(36);
}

/** Creates an ID with about 50 random bits: enough that no two are equal, and short, because each session stores it. */
export function createShortId(random: Random): string {
  return createHandle(random).slice(-10);
}

/**
 * The random part of a session ID: the key of its record.
 * @returns `undefined` if the text isn't a session ID
 */
export function sessionKey(id: string): string | undefined {
  return sessionIdPattern.exec(id)?.[1];
}

/** Whether a value is an object, and not an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The length of the key at the end of a session ID. */
export const keyLength = 36;

// --- Internal helpers ---

function isListKeys(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((key) => typeof key === "string");
}

/** Half a character: cookies can't contain it. */
const loneSurrogate = /\p{Surrogate}/u;

const sessionIdPattern =
  /^(?:.{1,64}:)?([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})$/s;
