import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createLog } from "../../server/console-log.ts";

const now = "2026-01-02T03:04:05.678Z";
let out: string;
let err: string;

beforeEach(() => {
  vi.useFakeTimers({ now: new Date(now) });
  out = "";
  err = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => (out += String(text)) !== "");
  vi.spyOn(process.stderr, "write").mockImplementation((text) => (err += String(text)) !== "");
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("the default log", () => {
  test("writes a line of time, level, message, and details", () => {
    createLog().info("A call ended", { method: "getBasket", shopId: 1001, slow: false });
    expect(out).toBe(`${now} info A call ended method=getBasket shopId=1001 slow=false\n`);
  });

  test("sends warnings and errors to standard error, and drops debug lines", () => {
    const log = createLog();
    log.debug("one");
    log.info("two");
    log.warn("three");
    log.error("four");
    expect(out).toBe(`${now} info two\n`);
    expect(err).toBe(`${now} warn three\n${now} error four\n`);
  });

  test("keeps an error with its stack and its cause in one line", () => {
    const error = new Error("no basket", { cause: new Error("no network") });
    createLog().error("A call failed", { error });
    expect(err.match(/\n/g)).toHaveLength(1);
    expect(err).toContain("Error: no basket\\n    at ");
    expect(err).toContain("Error: no network");
  });

  test("shows values that JSON can't represent", () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    createLog().warn("Odd", { nothing: undefined, big: 10n, circle, map: new Map([["a", 1]]) });
    expect(err).toContain(" nothing=undefined big=");
    expect(err).toContain("Circular");
    expect(err).toContain("a");
  });
});

describe("a client's input", () => {
  const forged = `\n${now} error The shop is gone`;

  test.each([
    ["in a detail", "Odd", { agent: `curl${forged}` }],
    ["in a detail's detail", "Odd", { request: { agent: `curl${forged}` } }],
    ["in the name of a detail", "Odd", { [`agent${forged}`]: 1 }],
    ["in a message", `Odd${forged}`, {}],
    ["after a carriage return", "Odd", { agent: `curl${forged.replace("\n", "\r")}` }],
    ["after a line separator", `Odd${forged.replace("\n", "\u2028")}`, {}],
  ])("can't start a log line: %s", (_, message, details) => {
    createLog().warn(message, details);
    expect(err).toMatch(/^[^\n\r\u2028\u2029]+\n$/);
    expect(err.startsWith(`${now} warn Odd`)).toBe(true);
  });

  test("can't control the terminal", () => {
    createLog().warn("Odd \u001B[2J", { agent: "\u001B]0;title\u0007", csi: "\u009B2J" });
    // oxlint-disable-next-line no-control-regex -- it is about these
    expect(err.trimEnd()).not.toMatch(/[\u0000-\u001F\u007F-\u009F]/);
  });
});
