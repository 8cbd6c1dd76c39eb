import { reportEnded } from "../storage/sessions/session-reports.ts";
import type { ContextSessions, Device } from "./context.ts";
import type { CallSession } from "./session/call-session.ts";
import { clearIfAmong, endUserSessions } from "./session/logout.ts";
import { canHaveSessions } from "./session/record-changes.ts";

/** Creates the functions of `context.sessions`. */
export function createContextSessions(session: CallSession): ContextSessions {
  const { services } = session;

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
    async list(userId) {
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

    end,

    async endLabeled(userId, label) {
      const labeled = (await read(userId)).filter(([, one]) => one.label === label);
      const ended = await Promise.all(labeled.map(([handle]) => end(userId, handle)));
      return ended.filter(Boolean).length;
    },

    endAll: (userId, sessionsToKeep) => endUserSessions(session, userId, sessionsToKeep),

    async rotate({ fresh = false } = {}) {
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
