import type { Session } from "../storage/sessions/session-records.ts";
import type { SessionStore } from "../storage/sessions/session-store.ts";
import type { FaultyDriver } from "./_faulty-driver.ts";

/** The active session of an ID, if there is one. */
export async function loadSession(
  sessions: SessionStore,
  id: string,
): Promise<Session | undefined> {
  const lookup = await sessions.lookUp(id);
  return lookup.state === "active" ? lookup.session : undefined;
}

/** The answer to a call with nothing but a session ID that was replaced a moment ago. */
export const retired = {
  status: 409,
  body: { code: "session_changed", executed: false },
  setCookies: [],
};

/** The answer to a write with nothing but a session ID that ended a moment ago. */
export const ended = {
  status: 409,
  body: { code: "session_ended", executed: false },
  setCookies: [],
};

/** How many sessions of shop 1001 a driver keeps, but for marks of old ones. */
export function countRecords(faulty: FaultyDriver): number {
  return [...faulty.stored()].filter(
    ([key, text]) => key.startsWith("session:1001:") && !isMarkText(text),
  ).length;
}

/** Whether a stored text is a mark of a session ID that is no longer valid. */
export function isMarkText(text: string): boolean {
  return JSON.parse(text).value?.mark !== undefined;
}
