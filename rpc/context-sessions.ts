import { reportEnded } from "../storage/sessions/session-reports.ts";
import type { Call } from "./call.ts";
import { clearIfAmong, endUserSessions } from "./session/logout.ts";
import { canHaveSessions } from "./session/record-changes.ts";

/** The device that a user agent names. */
export interface Device {
  /** For example `Firefox`. */
  readonly browser?: string | undefined;
  /** For example `Android`. */
  readonly os?: string | undefined;
  /** For example `mobile`, `tablet`, or `desktop`. */
  readonly type?: string | undefined;
}

/** The functions of `context.sessions`. */
export type ContextSessions = ReturnType<typeof createContextSessions>;

/**
 * Creates the functions of a context that list, end, and rotate the sessions of users. They throw StorageUnavailableError,
 * and TypeError for an invalid ID. If an ID is merely too long, they find no session.
 */
export function createContextSessions({ services, session }: Call) {
  /** Reads a user's sessions in all shops of the realm, each with its handle. */
  async function read(userId: string | number) {
    if (!canHaveSessions(userId)) return [];
    const indexes = await Promise.all(services.realm.users.map((users) => users.read(userId)));
    return indexes.flatMap(({ sessions }) => Object.entries(sessions));
  }

  async function end(userId: string | number, handle: string): Promise<boolean> {
    if (!canHaveSessions(userId)) return false;
    const indexes = session.writable.realm.users;
    const results = await Promise.all(indexes.map((users) => users.endOne(userId, handle)));
    for (const [at, { store }] of indexes.entries()) reportEnded(store, [results[at]], "revoked");
    const ended = results.filter((one) => one !== undefined);
    await clearIfAmong(session, ended);
    return ended.length > 0;
  }

  return {
    /** Lists a user's sessions in all shops of the realm, the last used first. None can be used as a login. */
    async list(userId: string | number) {
      const sessions = await read(userId);
      // Loaded here, because few processes list sessions soon after their start.
      const { parse } = await import("bowser");
      return sessions
        .map(([handle, { shopId, createdAt, lastSeenAt, userAgent, transport }]) => {
          const current = handle === session.current?.record.handle;
          const device = describeDevice(userAgent, parse);
          return { handle, shopId, createdAt, lastSeenAt, transport, device, userAgent, current };
        })
        .toSorted((a, b) => b.lastSeenAt - a.lastSeenAt);
    },

    /** Ends one of a user's sessions. @returns whether the user has a session with this handle */
    end,

    /**
     * Ends those of a user's sessions whose login had this `label`, in every shop of the realm: for example after the
     * back-channel logout of an identity provider (OpenID Connect Back-Channel Logout 1.0).
     * @returns the number of ended sessions
     */
    async endLabeled(userId: string | number, label: string): Promise<number> {
      const labeled = (await read(userId)).filter(([, one]) => one.label === label);
      const ended = await Promise.all(labeled.map(([handle]) => end(userId, handle)));
      return ended.filter(Boolean).length;
    },

    /**
     * Ends a user's sessions like `destroySessionsForUserId`, and also returns whether that is complete: if the user's
     * index was lost, some sessions can stay active.
     */
    endAll: (userId: string | number, sessionsToKeep?: readonly string[]) =>
      endUserSessions(session, userId, sessionsToKeep),

    /**
     * Gives the user's session a new ID, for example after a change of rights; a guest's session keeps its ID.
     * @param change `fresh`: the user has just authenticated again, so methods with `requireFresh` accept the login
     */
    async rotate({ fresh = false }: { readonly fresh?: boolean } = {}): Promise<void> {
      const { current } = session;
      if (current?.record.user === undefined) return;
      session.replace(await session.writable.sessions.rotate(current, { proved: fresh }));
    },
  };
}

// --- Internal helpers ---

/** Describes the device of a user agent, so that users recognize their own. Any client can send any user agent. */
function describeDevice(
  userAgent: string | undefined,
  parse: (typeof import("bowser"))["parse"],
): Device {
  if (!userAgent) return {};
  const { browser, os, platform } = parse(userAgent);
  return { browser: browser.name, os: os.name, type: platform.type };
}
