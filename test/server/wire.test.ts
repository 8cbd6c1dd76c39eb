import { HTTPError } from "h3";
import { expect, test } from "vitest";
import { RpcError } from "../../rpc/error.ts";
import { defineRpcMethod } from "../../rpc/method.ts";
import { isOwnServer } from "../_carriers.ts";
import { describeEverywhere } from "../_setup.ts";
import {
  bare,
  bytes,
  crossSite,
  expectProblem,
  from,
  inside,
  json,
  methods,
  typed,
} from "../_wire.ts";

/** The same as the log has it, which writes no password. */
const logged = "connect ECONNREFUSED redis://user:[redacted]@host:6379";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

describeEverywhere("the wire", ({ start, allowErrors, transport }) => {
  const values = ["text", "", "null", 0, -1.5, true, false, [1, [null]], [], {}, { a: null }];

  test.each(values.map((value) => [JSON.stringify(value), value]))(
    "%s is answered as bare JSON",
    async (_, value) => {
      const { visitor } = await start({ methods });
      const answer = await visitor().call("echo", value);
      expect(answer).toMatchObject({ status: 200, setCookies: [] });
      expect(answer.body).toStrictEqual(value);
      expect(answer.headers.get("content-type")).toBe("application/json");
      expect(answer.headers.get("cache-control")).toBe("no-store");
    },
  );

  test.each([undefined, null])("%s is answered with 204 and no body", async (value) => {
    const { visitor } = await start({ methods });
    const answer = await visitor().call("echo", value);
    expect(answer).toMatchObject({ status: 204, body: undefined, setCookies: [] });
    expect(answer.headers.get("content-type")).toBeNull();
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  test.each<[what: string, headers: Record<string, string>, body?: string, answer?: unknown]>([
    ["a charset", typed("application/json; charset=utf-8"), '{"payload":1}', 1],
    ["a type in capitals", typed("Application/JSON"), '{"payload":1}', 1],
    ["blanks around the JSON", json, ' {\n"payload": 1 } ', 1],
    ["neither body nor type", bare],
    ["an empty body", json, ""],
    ["an empty object", json, "{}"],
  ])("a call with %s is answered", async (_, headers, body, payload) => {
    const { visitor } = await start({ methods });
    const answer = await visitor().request("/api/rpc/echo", { method: "POST", headers, body });
    expect(answer).toMatchObject({ status: payload ? 200 : 204, body: payload });
  });

  const body = '{"payload":1}';
  const refusals: [what: string, is: string, path: string, headers: object, body?: BodyInit][] = [
    ["a body cut short", "400 malformed_request", "echo", json, '{"payload":'],
    ["a body that is no JSON", "400 malformed_request", "echo", json, "payload"],
    ["a body of blanks", "400 malformed_request", "echo", json, " "],
    ["an array as body", "400 malformed_request", "echo", json, "[1]"],
    ["a string as body", "400 malformed_request", "echo", json, '"payload"'],
    ["null as body", "400 malformed_request", "echo", json, "null"],
    ["a stray key", "400 malformed_request", "echo", json, '{"payloud":1}'],
    ["a stray __proto__", "400 malformed_request", "echo", json, '{"payload":1,"__proto__":{}}'],
    ["a body 33 deep", "400 malformed_request", "echo", json, `{"payload":${nested(32)}}`],
    ["a body 40,000 deep", "400 malformed_request", "echo", json, `{"payload":${nested(40_000)}}`],
    ["a guest at a user's method", "401 not_logged_in", "secret", json, body],
    ["a foreign origin", "403 foreign_origin", "echo", from("https://evil.example"), body],
    ["another port", "403 foreign_origin", "echo", from("http://localhost:1"), body],
    ["the origin null", "403 foreign_origin", "echo", from("null"), body],
    ["an origin that is none", "403 foreign_origin", "echo", from("localhost"), body],
    ["a cross-site call", "403 foreign_origin", "echo", { ...json, ...crossSite }, body],
    ["an unknown method", "404 unknown_method", "nothing", json, body],
    ["the method __proto__", "404 unknown_method", "__proto__", json, body],
    ["the method constructor", "404 unknown_method", "constructor", json, body],
    ["the method toString", "404 unknown_method", "toString", json, body],
    ["the method hasOwnProperty", "404 unknown_method", "hasOwnProperty", json, body],
    ["other letters of a name", "404 unknown_method", "getuser", json, body],
    ["an unknown shop", "404 unknown_shop", "echo", { ...json, "x-shop-id": "9" }, body],
    ["no method", "404 unknown_path", "", json, body],
    ["a path below a method", "404 unknown_path", "echo/more", json, body],
    ["a body of text/plain", "415 not_json", "echo", typed("text/plain"), body],
    ["a form", "415 not_json", "echo", typed("application/x-www-form-urlencoded"), "payload=1"],
    ["a type that begins as JSON", "415 not_json", "echo", typed("application/json-seq"), body],
    ["a coded body", "415 not_json", "echo", { ...json, "content-encoding": "gzip" }, body],
    ["a body without a type", "415 not_json", "echo", bare, bytes(body)],
    ["a payload of another shape", "422 invalid_input", "order", json, body],
    ["no payload where one is due", "422 invalid_input", "order", json, undefined],
  ];

  test.each(refusals)("%s is refused with %s", async (_, expected, path, headers, content) => {
    const { visitor } = await start({ methods });
    const init = { method: "POST", headers: headers as Record<string, string>, body: content };
    const answer = await visitor().request(`/api/rpc/${path}`, init);
    expectProblem(answer, expected);
  });

  test.each([
    ["a malformed URL", "400 malformed_request", "%ZZ"],
    ["another path", "404 unknown_path", "../nothing"],
  ])("%s is refused with %s, by the outer app if there is one", async (_, expected, path) => {
    const { send, visitor } = await start({ methods });
    const init = { method: "POST", headers: json, body };
    if (isOwnServer(transport)) {
      expectProblem(await visitor().request(`/api/rpc/${path}`, init), expected);
    } else {
      const { status } = await send(`/api/rpc/${path}`, init);
      expect(status).toBe(Number.parseInt(expected, 10));
    }
  });

  test.each([
    ["GET", "getUser", "POST"],
    ["HEAD", "getUser", "POST"],
    ["PUT", "echo", "POST"],
    ["DELETE", "secret", "POST"],
    ["GET", "act", "POST"],
    ["PATCH", "read", "GET, HEAD, POST"],
    ["OPTIONS", "read", "GET, HEAD, POST"],
  ])("%s is refused by %s, which answers %s", async (method, name, allow) => {
    const { visitor } = await start({ methods });
    const answer = await visitor().request(`/api/rpc/${name}`, { method, headers: bare });
    expect(answer.headers.get("allow")).toBe(allow);
    if (method === "HEAD") expect(answer.status).toBe(405);
    else expectProblem(answer, "405 wrong_verb");
  });

  test("32 levels of nesting are read, and brackets in strings are none", async () => {
    const { visitor } = await start({ methods });
    const deepest: unknown = JSON.parse(nested(31));
    expect((await visitor().call("echo", deepest)).body).toEqual(deepest);
    const text = `\\"${"[{".repeat(50)}`;
    expect((await visitor().call("echo", text)).body).toBe(text);
  });

  test("a body that is a string of quotes without end is refused at once", async () => {
    const { visitor } = await start({ methods });
    const startedAt = performance.now();
    const answer = await visitor().request("/api/rpc/echo", {
      method: "POST",
      headers: json,
      body: `{"payload":"${'\\"'.repeat(49_000)}`,
    });
    expectProblem(answer, "400 malformed_request");
    // Seconds, where the time grows with the square of the length.
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });

  test("a body of maxBodySize is read, one byte more is refused however it comes", async () => {
    const { visitor } = await start({ methods, maxBodySize: 1000 });
    const text = "x".repeat(1000 - '{"payload":""}'.length);
    const fits = JSON.stringify({ payload: text });
    for (const send of [whole, streamed]) {
      const answer = await visitor().request("/api/rpc/echo", send(fits));
      expect(answer).toMatchObject({ status: 200, body: text });
      expectProblem(await visitor().request("/api/rpc/echo", send(`${fits} `)), "413 too_large");
    }
    const endless = streamed(`{"payload":"${"x".repeat(100_000)}"}`);
    expectProblem(await visitor().request("/api/rpc/echo", endless), "413 too_large");
  });

  test("a 422 says where and what", async () => {
    const { visitor } = await start({ methods });
    const payload = { lines: [{ quantity: 1 }, { quantity: 0, colour: "red" }], more: 1 };
    const answer = await visitor().call("order", payload);
    expectProblem(answer, "422 invalid_input");
    const paths = answer.body.errors.map(({ path }: { path: unknown }) => JSON.stringify(path));
    expect(paths.toSorted()).toEqual(['["lines",1,"quantity"]', '["lines",1]', "[]"]);
    for (const { message } of answer.body.errors) expect(message).not.toBe("");
  });

  const thrown: [what: string, error: unknown, logged: string][] = [
    ["an error", new Error(inside), logged],
    ["a text", inside, logged],
    ["nothing", undefined, "no error: undefined"],
    ["a promise", new Promise(() => undefined), "no error: object"],
    ["an h3 error of 5xx", new HTTPError({ status: 502, message: inside, data: inside }), logged],
  ];

  test.each(thrown)(
    "where a method throws %s, a 500 says no more than where to look",
    async (_, error, line) => {
      allowErrors();
      const throws = defineRpcMethod({ handler: () => Promise.reject(error) });
      const { visitor, lines } = await start({ methods: { throws } });
      const answer = await visitor().call("throws");
      const { instance } = answer.body;
      expect(instance).toMatch(/^urn:uuid:[0-9a-f-]{36}$/);
      const title = "Something went wrong on the server";
      const code = "internal_error";
      expect(answer.body).toEqual({ type: "about:blank", title, status: 500, code, instance });
      const errors = lines.filter(({ level }) => level === "error");
      expect(errors).toMatchObject([{ details: { instance, shopId: 1001, method: "throws" } }]);
      expect(errors[0]?.details?.["error"]).toContain(line);
    },
  );

  const unfit: [what: string, answer: unknown][] = [
    ["a BigInt", 1n],
    ["a circle", createCircle()],
  ];

  test.each(unfit)("where a method answers %s, which is no JSON, it is a 500", async (_, value) => {
    allowErrors();
    const answers = defineRpcMethod({ handler: () => value });
    const reads = defineRpcMethod({ access: "public", readOnly: true, handler: () => value });
    const { visitor } = await start({ methods: { answers, reads } });
    for (const name of ["answers", "reads"]) {
      expectProblem(await visitor().call(name), "500 internal_error");
    }
  });

  test("a method refuses with a problem of its own", async () => {
    const errors = [{ path: ["size"], message: "Only XS is left" }];
    const refuse = defineRpcMethod({
      handler() {
        const own = { status: 429, title: "Sold out", detail: "Two were left", errors };
        throw new RpcError("sold_out", { ...own, headers: { "retry-after": "30" }, cause: inside });
      },
    });
    const { visitor } = await start({ methods: { refuse } });
    const answer = await visitor().call("refuse");
    expectProblem(answer, "429 sold_out");
    expect(answer.headers.get("retry-after")).toBe("30");
    expect(answer.body).toEqual({
      type: "about:blank",
      title: "Sold out",
      status: 429,
      code: "sold_out",
      detail: "Two were left",
      errors,
    });
  });

  test("a GET of a public readOnly method may be cached, and gives no cookie", async () => {
    const { visitor } = await start({ methods });
    const guest = visitor();
    await guest.call("note", { begun: true });
    const payload = { text: "ü&?=", list: [1] };
    const query = `?payload=${encodeURIComponent(JSON.stringify(payload))}`;
    const answer = await guest.request(`/us/api/rpc/read${query}`);
    expect(answer).toMatchObject({ status: 200, body: { payload, shopId: 1002 }, setCookies: [] });
    expect(answer.headers.get("cache-control")).toBe("public, max-age=60");
    expect(answer.headers.get("vary")).toBe("x-shop-id, origin");
    const without = await guest.request("/api/rpc/read", { headers: bare });
    expect(without.body).toEqual({ shopId: 1001 });
  });

  test.each([
    ["two payloads", "?payload=1&payload=2"],
    ["a malformed payload", "?payload={"],
    ["an empty payload", "?payload="],
    ["a payload nested 33 deep", `?payload=${nested(33)}`],
  ])("a GET with %s is refused with 400, and not cached", async (_, query) => {
    const { visitor } = await start({ methods });
    const answer = await visitor().request(`/api/rpc/read${query}`, { headers: bare });
    expectProblem(answer, "400 malformed_request");
  });

  test("HEAD is answered as GET is, without the body", async () => {
    const { visitor } = await start({ methods });
    const [get, head] = await Promise.all(
      ["GET", "HEAD"].map((method) =>
        visitor().request("/api/rpc/read?payload=1", { method, headers: bare }),
      ),
    );
    expect(head).toMatchObject({ status: 200, body: undefined });
    for (const name of ["content-type", "cache-control", "vary"]) {
      expect(head?.headers.get(name)).toBe(get?.headers.get(name));
    }
  });
});

// --- Internal helpers ---

/** A body of known length. */
function whole(content: string) {
  const headers = { ...json, "content-length": String(content.length) };
  return { method: "POST", headers, body: content };
}

/** A body that comes piece by piece, and nobody knows how much there will be. */
function streamed(content: string) {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (let at = 0; at < content.length; at += 100) {
        controller.enqueue(bytes(content.slice(at, at + 100)));
      }
      controller.close();
    },
  });
  return { method: "POST", headers: json, body, duplex: "half" };
}

function createCircle(): object {
  const circle: { self?: object } = {};
  circle.self = circle;
  return circle;
}
