import { createHmac } from "node:crypto";
import { expect } from "vitest";
import type { LoadedSession } from "../storage/sessions/session.ts";
import type { SessionStore } from "../storage/sessions/session-store.ts";
import type { CookieClient } from "./_cookie-client.ts";
import type { FaultyDriver } from "./_faulty-driver.ts";
import { testSecret } from "./_setup.ts";

/** The active session of an ID, if there is one. */
export async function loadSession(
  sessions: SessionStore,
  id: string,
): Promise<LoadedSession | undefined> {
  const lookup = await sessions.lookUp(id);
  return lookup.state === "active" ? lookup.session : undefined;
}

/** The response to a call with only a recently replaced session ID. */
export const retired = {
  status: 409,
  body: { code: "session_changed", executed: false },
  setCookies: [],
};

/** The response to a write with only a recently ended session ID. */
export const ended = {
  status: 409,
  body: { code: "session_ended", executed: false },
  setCookies: [],
};

/** The number of stored sessions of shop 1001, without tombstones. */
export function countRecords(faulty: FaultyDriver): number {
  return [...faulty.stored()].filter(
    ([key, text]) => key.startsWith("session:1001:") && !isMarkText(text),
  ).length;
}

/** Whether a stored string is the tombstone of a session ID. */
export function isMarkText(text: string): boolean {
  return JSON.parse(text).value?.mark !== undefined;
}

/** The cookie that Express would set, signed like its package `cookie-signature`. */
export function toCookie(id: string, secret = testSecret): string {
  const signature = createHmac("sha256", secret).update(id).digest("base64").slice(0, 43);
  return encodeURIComponent(`s:${id}.${signature}`);
}

/** The user's ID and the notes that a visitor's calls return. */
export async function whoIs(client: CookieClient): Promise<[userId: unknown, notes: unknown]> {
  const user = await client.call("getUser");
  const notes = await client.call("notes");
  expect([user.status, notes.status]).toEqual([200, 200]);
  return [user.body.user?.id, notes.body];
}
