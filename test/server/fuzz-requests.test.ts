import * as fc from "fast-check";
import { describe, expect } from "vitest";
import * as z from "zod";
import { findJsonFault } from "../../storage/documents/json-fault.ts";
import { builtinMethods } from "../../rpc/methods/builtin.ts";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { allowedVerbs } from "../../rpc/method.ts";
import type { ShopConfig } from "../../server/config/config.ts";
import { readAnswer, testProperty, useStorefront } from "../_fuzz.ts";
import {
  hostileText,
  jsonText,
  mutation,
  nearTo,
  toHeaderText,
  toObjectText,
} from "../_hostile.ts";

const currency = "EUR";
const shops = [
  { shopId: 1001, locale: "de-DE", currency, path: "de", isDefault: true },
  { shopId: 1002, locale: "en-US", currency, host: "us.example" },
  { shopId: 1003, locale: "fr-FR", currency, host: "eu.example:8080", path: "fr" },
  { shopId: 10, locale: "it-IT", currency, host: "eu.example:8080", path: "it" },
] satisfies ShopConfig[];

/** Methods that return their payload, so that the test can compare it. */
const echo = defineRpcMethod({
  access: "public",
  readOnly: true,
  input: z.unknown(),
  handler: (payload) => ({ payload }),
});
const put = defineRpcMethod({
  access: "public",
  verb: "PUT",
  input: z.unknown(),
  handler: (payload) => ({ payload }),
});
const remove = defineRpcMethod({
  access: "public",
  verb: "DELETE",
  input: z.unknown(),
  handler: (payload) => ({ payload }),
});
const methods = { echo, put, remove };
const takeStorefront = useStorefront({ shops, shopSelector: "path_or_default", methods }, () =>
  Promise.resolve(undefined),
);

describe("a shop", () => {
  const ids = fc.oneof(
    nearTo(["1001", "1002", "1003", "10"]),
    fc.constantFrom("01001", "1e3", "0x3e9", "1001.0", "+1001", "1001,1002", "１００１", "NaN"),
    hostileText,
  );
  const hosts = fc.oneof(
    nearTo(["us.example", "eu.example:8080", "localhost"]),
    fc.constantFrom("us.example:1", "eu.example", "us.example.", "x.us.example", "us.example@evil"),
    hostileText,
  );
  const paths = fc.oneof(nearTo(["de", "fr", "it", "us"]), hostileText);
  const places = fc.record({
    id: fc.option(ids, { nil: undefined, freq: 2 }),
    host: fc.option(hosts, { nil: undefined, freq: 3 }),
    path: fc.option(paths, { nil: undefined, freq: 3 }),
  });

  testProperty("responds only to its exact digits, host, or path", 1500, places, async (place) => {
    const { send } = await takeStorefront();
    const { id, host = "localhost", path } = place;
    const target = `http://${host}${path === undefined ? "" : `/${path}`}/api/rpc/getShopConfiguration`;
    if (!URL.canParse(target) || hasCredentials(new URL(target))) return;
    const url = new URL(target);
    const headers = new Headers(id === undefined ? {} : { "x-shop-id": toHeaderText(id) });
    const { status, body } = await readAnswer(await send(url.href, { method: "GET", headers }));
    const given = headers.get("x-shop-id");
    const [, segment, isRoot] =
      /^(?:\/([^/]+))??(\/api\/rpc\/getShopConfiguration)$/.exec(url.pathname) ?? [];
    if (status !== 200) {
      // An exact ID is found, unless the path is another shop's.
      if (isRoot && segment === undefined && isDecodable(url))
        expect(shops.map(({ shopId }) => String(shopId))).not.toContain(given);
      return;
    }
    const found = shops.find(({ shopId }) => shopId === body.shopId) as ShopConfig;
    if (segment !== undefined) expect(segment).toBe(found.path);
    if (given !== null) {
      expect(given).toBe(String(found.shopId));
      return;
    }
    // With a dot at its end, it is the same host (RFC 1034, 3.1).
    const names = [url.host, url.hostname].map((each) => each.replace(/\.(?=:|$)/, ""));
    if (found.host !== undefined) expect(names).toContain(found.host);
    if (segment === undefined) {
      expect(found.isDefault === true || found.host !== undefined).toBe(true);
    }
  });
});

describe("a path, a query, and an HTTP method", () => {
  const names = Object.keys({ ...builtinMethods, ...methods });
  const name = fc.oneof(
    nearTo(names),
    fc.constantFrom("__proto__", "constructor", "toString", "valueOf", "hasOwnProperty", "then"),
    fc.constantFrom("%5F_proto__", "%ZZ", "%00", "getUser%2F", "..%2fgetUser", "a".repeat(9000)),
    hostileText,
  );
  const prefix = fc.oneof(
    { weight: 6, arbitrary: fc.constant("/de/api/rpc/") },
    fc.constantFrom("/api/rpc/", "/de//api/rpc/", "/de/api/RPC/", "//api/rpc/", "/api/admin/", "/"),
    nearTo(["/de/api/rpc/", "/healthz", "/readyz", "/api/admin/endAllSessions"]),
  );
  const value = fc.oneof(jsonText, hostileText);
  const parameter = fc.tuple(
    fc.constantFrom("payload", "payload", "Payload", "__proto__", "x"),
    value,
  );
  const query = fc.oneof(
    fc
      .array(parameter, { maxLength: 2 })
      .map((parameters) => new URLSearchParams(toWellFormed(parameters))),
    hostileText,
  );
  const verb = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("GET", "POST") },
    fc.constantFrom(
      "HEAD",
      "OPTIONS",
      "PUT",
      "PATCH",
      "DELETE",
      "PROPFIND",
      "get",
      "POST2",
      "__proto__",
    ),
  );
  const requests = fc.record({ prefix, name, query, verb });

  testProperty("get a result or a problem", 1500, requests, async (input) => {
    const { send } = await takeStorefront();
    const path = `${input.prefix}${input.name}?${input.query}`;
    if (
      !URL.canParse(path, "http://localhost") ||
      hasCredentials(new URL(path, "http://localhost"))
    )
      return;
    const response = await send(path, { method: input.verb });
    const { status, body, setCookies } = await readAnswer(response, input.verb);
    // Nothing that has no payload to speak of begins a session.
    expect(setCookies).toEqual([]);
    if (status === 405)
      expect([...Object.values(allowedVerbs), "GET, HEAD"]).toContain(
        response.headers.get("allow"),
      );
    if (status >= 400)
      expect(JSON.stringify(body ?? null)).not.toMatch(/<script>|node_modules|at file:/);
  });

  testProperty(
    "deliver the payload unchanged",
    500,
    fc.array(jsonText, { minLength: 1, maxLength: 2 }),
    async (texts) => {
      // A number such as 1e999 is read as Infinity, which no method can return.
      fc.pre(findJsonFault(JSON.parse(texts[0] ?? "")) === undefined);
      const { send } = await takeStorefront();
      const payloads = new URLSearchParams(texts.map((text) => ["payload", text]));
      const answer = await readAnswer(
        await send(`/de/api/rpc/echo?${payloads}`, { method: "GET" }),
      );
      const posted = await post(texts[0] ?? "");
      if (texts.length > 1)
        expect(answer).toMatchObject({ status: 400, body: { code: "malformed_request" } });
      else expect([answer.status, answer.body]).toEqual([posted.status, posted.body]);

      async function post(text: string) {
        const headers = { "content-type": "application/json" };
        const init = { method: "POST", headers, body: `{"payload":${text}}` };
        const { status, body } = await readAnswer(await send("/de/api/rpc/echo", init));
        // The value after JSON, which converts `-0` to 0.
        expect(JSON.stringify(body)).toBe(JSON.stringify({ payload: JSON.parse(text) }));
        return { status, body };
      }
    },
  );
});

describe("a body", () => {
  const near = fc.tuple(jsonText, mutation, mutation).map(([text, ...changes]) => {
    return changes.reduce((changed, change) => change(changed), `{"payload":${text}}`);
  });
  const deep = fc
    .tuple(fc.constantFrom("[", '{"a":', '{"__proto__":', '[{"":'), fc.nat(20_000), fc.boolean())
    .map(([open, depth, isWhole]) => {
      const close = open === "[" ? "]" : open === '[{"":' ? "}]" : "}";
      return `{"payload":${open.repeat(depth)}1${isWhole ? close.repeat(depth) : ""}}`;
    });
  const members = fc.array(
    fc.tuple(fc.constantFrom("payload", "payload", "__proto__", "constructor", "x"), jsonText),
    {
      maxLength: 3,
    },
  );
  const body = fc.oneof(
    near,
    members.map(toObjectText),
    jsonText,
    hostileText,
    deep,
    fc.uint8Array({ maxLength: 400 }),
    fc.nat(200_000).map((length) => `{"payload":"${"x".repeat(length)}"}`),
  );
  const contentType = fc.oneof(
    { weight: 8, arbitrary: fc.constant("application/json") },
    fc.constantFrom(
      "application/json; charset=utf-8",
      "APPLICATION/JSON ;x",
      "text/plain",
      "application/jsonp",
    ),
    fc.constantFrom("multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""),
    nearTo(["application/json"]),
    hostileText,
  );
  const length = fc.option(fc.constantFrom("0", "1", "-1", "1e9", "99999999999", "0x10", "NaN"), {
    nil: undefined,
    freq: 5,
  });
  const method = fc.constantFrom(
    ...Object.keys(methods),
    "addItemToBasket",
    "removeItemFromBasket",
    "updateUser",
    "getBasket",
    "none",
  );
  const verb = fc.oneof(
    { weight: 3, arbitrary: fc.constant("POST") },
    fc.constantFrom("PUT", "PATCH", "DELETE"),
  );
  const requests = fc.record({ body, contentType, length, method, verb });

  testProperty("gets a result or a problem", 1000, requests, async (input) => {
    const { send } = await takeStorefront();
    const headers = new Headers({ "content-type": toHeaderText(input.contentType) });
    if (input.length !== undefined) headers.set("content-length", input.length);
    const init = { method: input.verb, headers, body: input.body as BodyInit };
    const { status, body: answer } = await readAnswer(
      await send(`/de/api/rpc/${input.method}`, init),
    );
    const bytes =
      typeof input.body === "string" ? Buffer.from(input.body) : Buffer.from(input.body);
    if (bytes.length > 100_000) expect([413, 415, 404, 405, 431]).toContain(status);
    if (status !== 200 || !Object.hasOwn(methods, input.method)) return;
    expect(countBrackets(JSON.stringify(answer))).toBeLessThanOrEqual(32);
    // Exactly the parsed JSON under `payload`, and only with the media type of JSON.
    if (bytes.length > 0)
      expect(headers.get("content-type")).toMatch(/^\s*application\/json\s*(?:;|$)/i);
    // A byte order mark alone isn't text.
    const text = new TextDecoder().decode(bytes);
    const { payload } = (text === "" ? {} : JSON.parse(text)) as { readonly payload?: unknown };
    expect(JSON.stringify(answer)).toBe(JSON.stringify({ payload }));
  });
});

// --- Internal helpers ---

/** Requests cannot have such addresses. */
function hasCredentials({ username, password, protocol }: URL): boolean {
  return username !== "" || password !== "" || protocol !== "http:";
}

function isDecodable({ pathname }: URL): boolean {
  try {
    return decodeURI(pathname) !== "";
  } catch {
    return false;
  }
}

/** How deep JSON is nested. */
function countBrackets(json: string): number {
  let [depth, deepest] = [0, 0];
  for (const bracket of json.replace(/"(?:[^"\\]|\\.)*"/gs, "").replace(/[^[\]{}]/g, "")) {
    depth += bracket === "[" || bracket === "{" ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

function toWellFormed(pairs: readonly (readonly [string, string])[]): string[][] {
  return pairs.map((pair) => pair.map((text) => Buffer.from(text).toString()));
}
