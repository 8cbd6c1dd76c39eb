import { describe, expect, test } from "vitest";
import { describeLoss, ends, expectNewLogin, isLoggedIn } from "../../fixtures/loss.ts";

/** Lost documents, and the ends of sessions after which a device is logged out immediately or later. */
const rows: readonly [
  piece: string,
  key: string,
  atOnce: readonly string[],
  later: readonly string[],
][] = [
  ["the generations", "session-generations:current", Object.keys(ends), []],
  ["the count of ends", "session-revocations:current", Object.keys(ends), []],
  [
    "the user's index",
    "user:default:7",
    ["logout", "endAllSessions"],
    Object.keys(ends).filter((end) => end !== "logout" && end !== "endAllSessions"),
  ],
];

describeLoss("bookkeeping that is lost", ({ begin, lose, pass, remove }) => {
  describe.each(rows)("when %s is lost", (_, key, atOnce, later) => {
    test.each(atOnce)("ends the session immediately by %s", async (end) => {
      for (const how of ["deleted", "cut", "of another shape"]) {
        const devices = await lose(await begin(), key, how);
        await ends[end]?.(devices);
        expect(await isLoggedIn(devices.lost), how).toBe(false);
        await pass(7);
        expect(await isLoggedIn(devices.lost), how).toBe(false);
        await expectNewLogin(devices.server);
        await remove("user:default:7");
      }
    });

    if (later.length === 0) return;
    test.each(later)("ends the session within a tenth of its idle time by %s", async (end) => {
      for (const how of ["deleted", "cut", "of another shape"]) {
        const devices = await lose(await begin(), key, how);
        await ends[end]?.(devices);
        await pass(6);
        expect(await isLoggedIn(devices.lost), how).toBe(false);
        expect(await isLoggedIn(devices.lost), how).toBe(false);
        await expectNewLogin(devices.server);
        await remove("user:default:7");
      }
    });
  });

  test("ends a session immediately if its record is lost, and its user can log in again", async () => {
    for (const how of ["deleted", "cut", "of another shape"]) {
      const devices = await begin();
      const key = `session:1001:${devices.lost.sessionId?.slice(2)}`;
      const after = await lose(devices, key, how);
      expect(await isLoggedIn(after.lost), how).toBe(false);
      expect(await isLoggedIn(after.other), how).toBe(true);
      expect((await after.other.call("logoutEverywhere")).body).toEqual({ ended: 2 });
      await expectNewLogin(after.server);
      await remove("user:default:7");
    }
  });

  test("keeps a session ended if its mark is lost", async () => {
    const devices = await begin();
    const key = `session:1001:${devices.lost.sessionId?.slice(2)}`;
    const thief = devices.lost.clone();
    await devices.lost.call("logout");
    await lose(devices, key, "deleted");
    expect(await isLoggedIn(thief)).toBe(false);
  });
});
