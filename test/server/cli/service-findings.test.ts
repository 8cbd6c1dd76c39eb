import { describe, expect, test } from "vitest";
import {
  forgedAddress,
  judgeInside,
  serviceFindings,
  type InsideView,
} from "../../../server/cli/service-findings.ts";
import type { InspectedStorage } from "../../../server/inspect.ts";
import { readTable } from "../../_table.ts";

const url = new URL("https://shop.example");
const cookie = "$session-1=; Path=/; HttpOnly; Secure";
const sound: InsideView = {
  inspection: {
    time: 0,
    ip: "203.0.113.7",
    origin: "https://shop.example",
    isTrusted: true,
    proxyHeaders: ["x-forwarded-for", "x-forwarded-proto"],
    cookies: [cookie],
    storages: [{ uses: "sessions, baskets", driver: "redis", milliseconds: 2 }],
    idleConnections: 0,
  },
  cookies: [cookie],
  skew: 400,
  roundTrip: 20,
};

describe("the doctor of a running service", () => {
  test("finds nothing in a sound service", () => {
    expect(judgeInside(url, sound, false)).toEqual([]);
  });

  test.each([
    ["SF803", "http", inspected({ origin: "http://shop.example" })],
    ["SF804", "internal:3000", inspected({ origin: "https://internal:3000" })],
    ["SF805", forgedAddress, inspected({ ip: forgedAddress })],
    ["SF806", "x-forwarded-proto", inspected({ isTrusted: false })],
    ["SF807", `${cookie}; Domain=a`, { ...sound, cookies: [`${cookie}; Domain=a`] }],
    ["SF807", "no cookie", { ...sound, cookies: [] }],
    ["SF808", "redis for sessions", stored({ milliseconds: undefined })],
    ["SF809", "redis for sessions: more than 50 ms", stored({ milliseconds: 51 })],
    ["SF810", "allkeys-lru", stored({ milliseconds: 2, evictionPolicy: "allkeys-lru" })],
    ["SF812", "3", inspected({ idleConnections: 3 })],
    ["SF813", "81 %", stored({ milliseconds: 2, memoryUse: 0.81 })],
    ["SF814", "1.0 s or more", stored({ milliseconds: 2, changeDelay: 1 })],
    ["SF811", "1.1 s", { ...sound, skew: 1100 }],
    ["SF811", "-1.1 s", { ...sound, skew: -1100 }],
  ])("reports %s: found %s", (code, found, view) => {
    expect(judgeInside(url, view, false)).toMatchObject([{ code, found }]);
  });

  test("accepts another host if the config has a publicUrl", () => {
    expect(judgeInside(url, inspected({ origin: "https://internal:3000" }), true)).toEqual([]);
  });

  test("accepts headers that the doctor itself sends, and the time of a slow round trip", () => {
    const direct = inspected({ isTrusted: false, proxyHeaders: ["x-forwarded-for"] });
    expect(judgeInside(url, direct, false)).toEqual([]);
    expect(judgeInside(url, { ...sound, skew: 1400, roundTrip: 1000 }, false)).toEqual([]);
  });

  test("uses the same words in the program and in docs/doctor.md", () => {
    const rows = Object.entries(serviceFindings).map(([code, { severity, about, remedy }]) => [
      `\`${code}\``,
      severity,
      about,
      remedy,
    ]);
    expect(readTable("docs/doctor.md", "finding")).toEqual(rows);
  });
});

// --- Internal helpers ---

function inspected(changes: Partial<InsideView["inspection"]>): InsideView {
  return { ...sound, inspection: { ...sound.inspection, ...changes } };
}

function stored(storage: Partial<InspectedStorage>): InsideView {
  return inspected({ storages: [{ uses: "sessions", driver: "redis", ...storage }] });
}
