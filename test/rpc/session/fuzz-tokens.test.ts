import * as fc from "fast-check";
import { describe, expect } from "vitest";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { createBearerTransport } from "../../../server/credentials/bearer.ts";
import { createCookieTransport } from "../../../server/credentials/cookie.ts";
import type { Shop } from "../../../server/config/options.ts";
import { resolveConfig } from "../../../server/config/resolve.ts";
import type { SessionRecord } from "../../../storage/sessions/session-record.ts";
import { systemClock } from "../../../storage/clock.ts";
import { readAnswer, testProperty, useStorefront } from "../../_fuzz.ts";
import { hostileText, mutation, nearTo, toHeaderText } from "../../_hostile.ts";
import { testConfig } from "../../_setup.ts";
import type { Send } from "../../_cookie-client.ts";

const session = { tokenMethod: ["bearer", "cookie"] } as const;
const [shop] = resolveConfig(testConfig({ session }), { production: false }).shops as [Shop];
const cookieTransport = createCookieTransport(shop.session, systemClock);
const bearerTransport = createBearerTransport(shop.session, shop.shopId);

const uuid = "3e6c2d2f-7c1e-4d53-9a43-6f6d0f6f2d11";
const users = ["", "7:", "ab:", "a.b.c:", "%41;=,:", "ü/..?$:", '"😀":', "a\0b:"];
const ids = users.map((user) => `${user}${uuid}`);
const cookies = await Promise.all(ids.map((id) => giveCookie(id)));
const tokens = await Promise.all(ids.map((id) => giveToken(id)));

describe("a cookie", () => {
  const headers = cookieHeader(cookies);

  testProperty("works only exactly as issued", 6000, headers, async (header) => {
    const carried = cookieTransport.read(new Headers({ cookie: header }));
    const presented = carried === undefined ? [] : await cookieTransport.verify(carried);
    const values = new Set(findValues(header, shop.session.cookieName));
    const given = ids.filter((_, index) => values.has(decodeURIComponent(cookies[index] ?? "")));
    expect(presented.map(({ id }) => id).toSorted()).toEqual(given.toSorted());
  });
});

describe("a bearer token", () => {
  const headers = authorizationHeader(tokens);

  testProperty("works only exactly as issued", 3350, headers, async (header) => {
    const carried = bearerTransport.read(new Headers({ authorization: header }));
    const presented = carried === undefined ? [] : await bearerTransport.verify(carried);
    const given = ids.filter((_, index) => tokens[index] === findToken(header));
    expect(presented.map(({ id }) => id)).toEqual(given);
  });
});

describe("a call", () => {
  const takeStorefront = useStorefront(
    { session, methods: { ...createWhoami(), begin: defineBegin() } },
    openSessions,
  );
  const header = fc.record({
    cookie: fc.option(fc.array(carriedPart(), { minLength: 1, maxLength: 5 }), { nil: undefined }),
    authorization: fc.option(fc.tuple(scheme(), carriedPart()), { nil: undefined }),
  });

  testProperty("gets the session of its credentials, or none", 1500, header, async (input) => {
    const { send, state } = await takeStorefront();
    const headers = new Headers({ "x-shop-id": "1001" });
    if (input.cookie !== undefined) {
      const pairs = input.cookie.map((part) => `${shop.session.cookieName}=${read(part, state)}`);
      headers.set("cookie", toHeaderText(pairs.join("; ")));
    }
    if (input.authorization !== undefined) {
      const [word, part] = input.authorization;
      headers.set("authorization", toHeaderText(word + read(part, state)));
    }
    const response = await send("/api/rpc/whoami", { method: "POST", headers });
    const { status, body, setCookies } = await readAnswer(response);
    expect(setCookies).toEqual([]);
    if (status === 431) {
      expect([...headers].join("").length).toBeGreaterThan(16_000);
      return;
    }
    expect(status).toBe(200);
    const token = findToken(headers.get("authorization") ?? "");
    const values = findValues(headers.get("cookie") ?? "", shop.session.cookieName);
    const byToken = state.find((given) => given.shopId === 1001 && given.token === token);
    const byCookie = state.filter((given) => {
      return given.shopId === 1001 && values.includes(decodeURIComponent(given.cookie));
    });
    // Both sessions in the header belong to the visitor, so each is right.
    const owned = byToken === undefined ? byCookie : [byToken];
    if (owned.length === 0) expect(body).toEqual({ id: null });
    else expect(owned.map(({ id }) => id)).toContain(body.id);
  });
});

// --- Internal helpers ---

interface GivenSession {
  readonly shopId: number;
  readonly id: string;
  readonly cookie: string;
  readonly token: string;
}

/** A credential: its session, its transport, and how it was altered. */
interface CarriedPart {
  readonly of: number;
  readonly as: "cookie" | "token" | "id";
  readonly changes: readonly ((text: string) => string)[];
}

function createRecord(id: string): SessionRecord {
  const now = Date.now();
  return { id, createdAt: now, lastSeenAt: now, handle: "h", ownerKey: "o", customData: {} };
}

async function giveCookie(id: string): Promise<string> {
  const [, line] = await cookieTransport.issue(createRecord(id), false);
  return toCookieValue(line);
}

async function giveToken(id: string): Promise<string> {
  const [, token] = await bearerTransport.issue(createRecord(id), false);
  return token;
}

function toCookieValue(line: string): string {
  return line.slice(line.indexOf("=") + 1, line.indexOf(";"));
}

function cookieHeader(given: readonly string[]): fc.Arbitrary<string> {
  const ours = shop.session.cookieName;
  const name = fc.oneof(
    { weight: 8, arbitrary: fc.constant(ours) },
    fc.constantFrom(` ${ours}\t`, `${ours}0`, `$session-1002`, ours.toUpperCase(), "__proto__", ""),
    nearTo([ours]),
  );
  const value = fc.oneof({ weight: 4, arbitrary: nearTo(given) }, hostileText);
  const pair = fc.tuple(name, value, fc.constantFrom("; ", "; ", ";", " ;\t", ";;", ",", "=;"));
  const copies = fc.constantFrom(1, 1, 1, 1, 1, 1, 1, 20);
  return fc
    .tuple(fc.array(pair, { maxLength: 5 }), copies, mutation)
    .map(([pairs, times, change]) => {
      const text = pairs.map(([key, carried, end]) => `${key}=${carried}${end}`).join("");
      return new Headers({ cookie: toHeaderText(change(text.repeat(times))) }).get("cookie") ?? "";
    });
}

function authorizationHeader(given: readonly string[]): fc.Arbitrary<string> {
  const token = fc.oneof({ weight: 6, arbitrary: nearTo(given) }, hostileText);
  return fc
    .tuple(scheme(), token, fc.constantFrom("", "", "", " ", "  x", ", Basic eA=="))
    .map((parts) => {
      return (
        new Headers({ authorization: toHeaderText(parts.join("")) }).get("authorization") ?? ""
      );
    });
}

function scheme(): fc.Arbitrary<string> {
  return fc.constantFrom(
    "Bearer ",
    "Bearer ",
    "bearer ",
    "BEARER   ",
    "Bearer",
    "Bearer\t",
    "Basic ",
    "",
  );
}

/** Parses cookies as RFC 6265, 5.4 says, and decodes each value once. */
function findValues(header: string, name: string): string[] {
  const pairs = header.split(";").filter((pair) => pair.includes("="));
  const parts = pairs.map((pair) => /^[ \t]*(.*?)[ \t]*=[ \t]*(.*?)[ \t]*$/s.exec(pair) ?? []);
  const [values, ours] = [[] as string[], parts.filter(([, key]) => key === name)];
  for (const [, , value = ""] of ours) {
    try {
      values.push(decodeURIComponent(value));
    } catch {
      values.push(value);
    }
  }
  return values;
}

function findToken(header: string): string | undefined {
  const words = header.split(" ").filter((word) => word !== "");
  return words.length === 2 && words[0]?.toLowerCase() === "bearer" ? words[1] : undefined;
}

function carriedPart(): fc.Arbitrary<CarriedPart> {
  return fc.record({
    of: fc.nat(),
    as: fc.constantFrom("cookie", "cookie", "token", "id"),
    changes: fc.array(mutation, { maxLength: 2 }),
  });
}

function read({ of, as, changes }: CarriedPart, given: readonly GivenSession[]): string {
  const text = (given[of % given.length] as GivenSession)[as];
  return changes.reduce((changed, change) => change(changed), text);
}

function createWhoami() {
  return {
    whoami: defineRpcMethod({ handler: (_, { sessionId }) => ({ id: sessionId ?? null }) }),
  };
}

function defineBegin() {
  return defineRpcMethod({
    async handler(_, { headers, createUserBoundSession, basketKey }) {
      const user = headers.get("x-user");
      if (user !== null) await createUserBoundSession({ id: user });
      return basketKey;
    },
  });
}

/** Guests and users of two shops. A credential of one shop is invalid in the other. */
async function openSessions(send: Send): Promise<GivenSession[]> {
  const given: GivenSession[] = [];
  for (const shopId of [1001, 1002]) {
    for (const user of [undefined, "7", "a.b c", "%41%ZZ"]) {
      const headers = {
        "x-shop-id": String(shopId),
        ...(user !== undefined && { "x-user": user }),
      };
      const response = await send("/api/rpc/begin", { method: "POST", headers });
      const cookie = toCookieValue(response.headers.getSetCookie()[0] ?? "");
      const token = response.headers.get("storefront-auth-token") ?? "";
      const id = decodeURIComponent(cookie).slice(2, -44);
      given.push({ shopId, id, cookie, token });
    }
  }
  return given;
}
