import { inspect } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { Redactor } from "../../../rpc/redaction/redactor.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";

const hidden = "[redacted]";

describe("a redactor", () => {
  test("collects its secrets once, at the first line", () => {
    const redactor = new Redactor();
    const find = vi.fn(() => ["hunter2"]);
    redactor.addSource(find);
    const log = redactor.guard(createTestLog().log);
    expect(find).not.toHaveBeenCalled();
    log.info("hunter2");
    log.info("hunter2");
    expect(find).toHaveBeenCalledOnce();
  });

  test("finds a secret in JSON and in URLs, the longest first, and never in [redacted]", () => {
    const redactor = redactorOf('say "hi" & bye', "hunter2", "hunter2 and more", "dact", 4711);
    const text = `${JSON.stringify({ a: 'say "hi" & bye' })} ?q=${encodeURIComponent('say "hi" & bye')}`;
    expect(redactor.redact(text)).toBe(`{"a":"${hidden}"} ?q=${hidden}`);
    const form = new URLSearchParams({ q: 'say "hi" & bye' });
    expect(redactor.redact(`${form} ${encodeURI('say "hi" & bye')}`)).toBe(`q=${hidden} ${hidden}`);
    expect(redactor.redact("hunter2 and more, hunter2")).toBe(`${hidden}, ${hidden}`);
    expect(redactor.redact({ at: 4711, on: "port 4711", of: 47n })).toEqual({
      at: hidden,
      on: `port ${hidden}`,
      of: 47n,
    });
    expect(redactorOf("a.c+", "$&").redact("abcc a.c+ $&")).toBe(`abcc ${hidden} $&`);
  });

  test("redacts every kind of value in the details of a line", () => {
    const redactor = redactorOf("hunter2");
    const cause = Object.assign(new TypeError("of hunter2"), { config: { data: "hunter2" } });
    const circle: { self?: unknown; text: string } = { text: "hunter2" };
    circle.self = circle;
    const details = {
      list: ["a", ["hunter2"]],
      map: new Map<unknown, unknown>([
        ["hunter2", { deep: "hunter2" }],
        ["apiToken", 1],
      ]),
      set: new Set(["hunter2"]),
      error: new Error("for hunter2", { cause }),
      url: new URL("https://example.com/?q=hunter2"),
      headers: new Headers({ "x-auth-token": "abc", "x-note": "hunter2" }),
      bytes: Buffer.from("hunter2"),
      circle,
      date: new Date(0),
      nothing: null,
      "hunter2 as a key": true,
    };
    const copy = redactor.redact(details);
    expect(inspect(copy, { depth: 20, showHidden: true })).not.toContain("hunter2");
    expect(copy).toMatchObject({ list: ["a", [hidden]], date: new Date(0), nothing: null });
    expect(copy.circle.self).toBe(copy.circle);
    expect(copy.map.get("apiToken")).toBe(hidden);
    expect(copy.error).toBeInstanceOf(Error);
    expect(copy.error.stack).toContain("redactor.test.ts");
    expect(copy.error.cause).toMatchObject({ name: "TypeError", message: `of ${hidden}` });
    expect(details.list).toEqual(["a", ["hunter2"]]);
    expect(details.error.message).toBe("for hunter2");
  });

  test("redacts the values of secret keys, stops at a depth, and runs no getter", () => {
    const redactor = redactorOf();
    const names = [
      "password",
      "newPassword",
      "client_secret",
      "tokens",
      "Authorization",
      "set-cookie",
    ];
    const named = Object.fromEntries(names.map((name) => [name, { any: "thing" }]));
    expect(redactor.redact({ a: [named] })).toEqual({
      a: [Object.fromEntries(names.map((name) => [name, hidden]))],
    });
    const deep = { a: { a: { a: { a: { a: { a: { a: "b" } } } } } } };
    expect(JSON.stringify(redactor.redact(deep))).toContain("[too deep]");
    const get = vi.fn();
    redactor.redact(Object.defineProperty({}, "trap", { get, enumerable: true }));
    expect(get).not.toHaveBeenCalled();
  });
});

// --- Internal helpers ---

function redactorOf(...secrets: unknown[]): Redactor {
  const redactor = new Redactor();
  redactor.addSource(() => secrets);
  return redactor;
}
