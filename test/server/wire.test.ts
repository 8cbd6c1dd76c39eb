import { expect, test } from "vitest";
import { isOwnServer } from "../_servers.ts";
import { describeServers } from "../_setup.ts";
import { bare, bytes, crossSite, expectProblem, from, json, methods, typed } from "../_wire.ts";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

describeServers("the wire", ({ start, server }) => {
  const values = ["text", "", "null", 0, -1.5, true, false, [1, [null]], [], {}, { a: null }];

  test.each(values.map((value) => [JSON.stringify(value), value]))(
    "returns %s as bare JSON",
    async (_, value) => {
      const { client } = await start({ methods });
      const answer = await client().call("echo", value);
      expect(answer).toMatchObject({ status: 200, setCookies: [] });
      expect(answer.body).toStrictEqual(value);
      expect(answer.headers.get("content-type")).toBe("application/json");
      expect(answer.headers.get("cache-control")).toBe("no-store");
    },
  );

  test.each([undefined, null])("returns %s as 204 without a body", async (value) => {
    const { client } = await start({ methods });
    const answer = await client().call("echo", value);
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
  ])("accepts a call with %s", async (_, headers, body, payload) => {
    const { client } = await start({ methods });
    const answer = await client().request("/api/rpc/echo", { method: "POST", headers, body });
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

  test.each(refusals)("rejects %s with %s", async (_, expected, path, headers, content) => {
    const { client } = await start({ methods });
    const init = { method: "POST", headers: headers as Record<string, string>, body: content };
    const answer = await client().request(`/api/rpc/${path}`, init);
    expectProblem(answer, expected);
  });

  test.each([
    ["a malformed URL", "400 malformed_request", "%ZZ"],
    ["another path", "404 unknown_path", "../nothing"],
  ])("rejects %s with %s, in the outer app if there is one", async (_, expected, path) => {
    const { send, client } = await start({ methods });
    const init = { method: "POST", headers: json, body };
    if (isOwnServer(server)) {
      expectProblem(await client().request(`/api/rpc/${path}`, init), expected);
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
  ])("rejects %s of %s, and allows %s", async (method, name, allow) => {
    const { client } = await start({ methods });
    const answer = await client().request(`/api/rpc/${name}`, { method, headers: bare });
    expect(answer.headers.get("allow")).toBe(allow);
    if (method === "HEAD") expect(answer.status).toBe(405);
    else expectProblem(answer, "405 wrong_verb");
  });

  test("reads 32 levels of nesting, and ignores brackets in strings", async () => {
    const { client } = await start({ methods });
    const deepest: unknown = JSON.parse(nested(31));
    expect((await client().call("echo", deepest)).body).toEqual(deepest);
    const text = `\\"${"[{".repeat(50)}`;
    expect((await client().call("echo", text)).body).toBe(text);
  });

  test("rejects a long unterminated string of quotes quickly", async () => {
    const { client } = await start({ methods });
    const times: number[] = [];
    for (let round = 0; round < 3; round++) {
      const before = process.cpuUsage();
      const answer = await client().request("/api/rpc/echo", {
        method: "POST",
        headers: json,
        body: `{"payload":"${'\\"'.repeat(49_000)}`,
      });
      times.push(process.cpuUsage(before).user / 1000);
      expectProblem(answer, "400 malformed_request");
    }
    // Quadratic time would take seconds.
    expect(Math.min(...times)).toBeLessThan(1000);
  });

  test("reads a body of maxBodySize, and rejects one byte more, streamed or not", async () => {
    const { client } = await start({ methods, maxBodySize: 1000 });
    const text = "x".repeat(1000 - '{"payload":""}'.length);
    const fits = JSON.stringify({ payload: text });
    for (const send of [whole, streamed]) {
      const answer = await client().request("/api/rpc/echo", send(fits));
      expect(answer).toMatchObject({ status: 200, body: text });
      expectProblem(await client().request("/api/rpc/echo", send(`${fits} `)), "413 too_large");
    }
    const endless = streamed(`{"payload":"${"x".repeat(100_000)}"}`);
    expectProblem(await client().request("/api/rpc/echo", endless), "413 too_large");
  });

  test("names each invalid path in a 422", async () => {
    const { client } = await start({ methods });
    const payload = { lines: [{ quantity: 1 }, { quantity: 0, colour: "red" }], more: 1 };
    const answer = await client().call("order", payload);
    expectProblem(answer, "422 invalid_input");
    const paths = answer.body.errors.map(({ path }: { path: unknown }) => JSON.stringify(path));
    expect(paths.toSorted()).toEqual(['["lines",1,"quantity"]', '["lines",1]', "[]"]);
    for (const { message } of answer.body.errors) expect(message).not.toBe("");
  });

  test("allows caches to store a GET of a public readOnly method, without a cookie", async () => {
    const { client } = await start({ methods });
    const guest = client();
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
  ])("rejects a GET with %s with 400, without caching", async (_, query) => {
    const { client } = await start({ methods });
    const answer = await client().request(`/api/rpc/read${query}`, { headers: bare });
    expectProblem(answer, "400 malformed_request");
  });

  test("responds to HEAD like to GET, without the body", async () => {
    const { client } = await start({ methods });
    const [get, head] = await Promise.all(
      ["GET", "HEAD"].map((method) =>
        client().request("/api/rpc/read?payload=1", { method, headers: bare }),
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

/** A body in pieces, without a length. */
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
