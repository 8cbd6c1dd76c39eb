import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../../rpc/define-method.ts";
import { createSetup, describeServers } from "../_setup.ts";
import { bare, expectProblem, json } from "../_wire.ts";

const input = z.json().optional();

/** A method for each verb. Each returns its payload and its visitor. */
const methods = {
  enter: defineRpcMethod({
    handler: (_, { createUserBoundSession }) => createUserBoundSession({ id: 7 }),
  }),
  show: defineRpcMethod({
    verb: "GET",
    input,
    handler: (payload, { user }) => ({ payload, userId: user?.id }),
  }),
  showOwn: defineRpcMethod({ access: "user", verb: "GET", handler: (_, { user }) => user.id }),
  showAll: defineRpcMethod({
    access: "public",
    verb: "GET",
    input,
    handler: (payload) => ({ payload }),
  }),
  hide: defineRpcMethod({
    access: "public",
    readOnly: true,
    verb: "POST",
    handler: () => "hidden",
  }),
  put: defineRpcMethod({ verb: "PUT", input, handler: (payload) => ({ payload }) }),
  patch: defineRpcMethod({ verb: "PATCH", input, handler: (payload) => ({ payload }) }),
  remove: defineRpcMethod({ verb: "DELETE", input, handler: (payload) => ({ payload }) }),
};

const payload = { text: "ü&?=", list: [1] };
const query = `?payload=${encodeURIComponent(JSON.stringify(payload))}`;
const body = JSON.stringify({ payload });

describeServers("the verbs of methods", ({ start }) => {
  test("responds to a GET with the visitor's session, which no cache stores", async () => {
    const { client } = await start({ methods });
    const visitor = client();
    await visitor.call("enter");
    const answer = await visitor.request(`/api/rpc/show${query}`, { headers: bare });
    expect(answer).toMatchObject({ status: 200, body: { payload, userId: 7 }, setCookies: [] });
    expect(answer.headers.get("cache-control")).toBe("private, no-store");
    expect(answer.headers.get("content-type")).toBe("application/json");
    const own = await visitor.request("/de/api/rpc/showOwn", {});
    expect(own).toMatchObject({ status: 200, body: 7 });
  });

  test("begins no session by a GET, and rejects a guest if the method is for users", async () => {
    const { client } = await start({ methods });
    const guest = client();
    const answer = await guest.request("/de/api/rpc/show", {});
    expect(answer).toMatchObject({ status: 200, body: {}, setCookies: [] });
    expectProblem(await guest.request("/de/api/rpc/showOwn", {}), "401 not_logged_in");
  });

  test("responds to HEAD as to a GET with a session, without the body", async () => {
    const { client } = await start({ methods });
    const visitor = client();
    await visitor.call("enter");
    const head = await visitor.request(`/api/rpc/show${query}`, { method: "HEAD", headers: bare });
    expect(head).toMatchObject({ status: 200, body: undefined });
    expect(head.headers.get("cache-control")).toBe("private, no-store");
  });

  test("allows caches to store a GET of a public method", async () => {
    const { client } = await start({ methods });
    const answer = await client().request(`/us/api/rpc/showAll${query}`, {});
    expect(answer).toMatchObject({ status: 200, body: { payload } });
    expect(answer.headers.get("cache-control")).toBe("public, max-age=60");
  });

  test("accepts POST for a plain object without a verb", async () => {
    const plain = { access: "session", handler: () => "plain" } as never;
    const { client } = await start({ methods: { plain } });
    expect(await client().call("plain")).toMatchObject({ status: 200, body: "plain" });
    expectProblem(await client().request("/de/api/rpc/plain", {}), "405 wrong_verb");
  });

  test.each([
    ["PUT", "put"],
    ["PATCH", "patch"],
    ["DELETE", "remove"],
  ])("responds to %s with a JSON body", async (verb, name) => {
    const { client } = await start({ methods });
    const init = { method: verb, headers: json, body };
    const answer = await client().request(`/api/rpc/${name}`, init);
    expect(answer).toMatchObject({ status: 200, body: { payload } });
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const text = { ...init, headers: { ...bare, "content-type": "text/plain" } };
    expectProblem(await client().request(`/api/rpc/${name}`, text), "415 not_json");
    expect(
      (await client().request(`/api/rpc/${name}`, { method: verb, headers: bare })).body,
    ).toEqual({});
  });

  test("reads the payload of a DELETE from the query, but not from both query and body", async () => {
    const { client } = await start({ methods });
    const path = `/api/rpc/remove${query}`;
    expect((await client().request(path, { method: "DELETE", headers: bare })).body).toEqual({
      payload,
    });
    const empty = await client().request(path, { method: "DELETE", headers: json, body: "{}" });
    expect(empty.body).toEqual({ payload });
    const both = await client().request(path, { method: "DELETE", headers: json, body });
    expectProblem(both, "400 malformed_request");
  });

  test("ignores a query in other HTTP methods with a body", async () => {
    const { client } = await start({ methods });
    const answer = await client().request(`/api/rpc/put${query}`, { method: "PUT", headers: bare });
    expect(answer.body).toEqual({});
  });

  test.each(Object.keys(methods))("responds to POST of %s", async (name) => {
    const { client } = await start({ methods });
    const { status } = await client().call(name);
    expect(status).toBe(name === "showOwn" ? 401 : 200);
  });

  test.each([
    ["show", "PUT", "GET, HEAD, POST"],
    ["showAll", "DELETE", "GET, HEAD, POST"],
    ["hide", "GET", "POST"],
    ["put", "GET", "POST, PUT"],
    ["put", "DELETE", "POST, PUT"],
    ["patch", "PUT", "PATCH, POST"],
    ["remove", "HEAD", "DELETE, POST"],
    ["remove", "OPTIONS", "DELETE, POST"],
  ])("rejects %s by %s, and allows %s", async (name, method, allow) => {
    const { client } = await start({ methods });
    const answer = await client().request(`/api/rpc/${name}`, { method, headers: bare });
    expect(answer.headers.get("allow")).toBe(allow);
    if (method === "HEAD") expect(answer.status).toBe(405);
    else expectProblem(answer, "405 wrong_verb");
  });

  test.each(["/api/rpc/sho%77", "/api/rpc/show/", "/api//rpc/show"])(
    "compares the path of a GET as text: %s",
    async (path) => {
      const { send } = await start({ methods });
      expect((await send(path, { headers: bare })).status).toBe(404);
    },
  );
});

describe("a page of another origin", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));
  const page = "https://www.shop.example";

  test.each(["PUT", "PATCH", "DELETE"])("may send %s if cors.origin allows it", async (verb) => {
    const { client } = await start({ methods, cors: { origin: [page] } });
    const path = `/api/rpc/${{ PUT: "put", PATCH: "patch", DELETE: "remove" }[verb]}`;
    const preflight = await client().request(path, {
      method: "OPTIONS",
      headers: { origin: page, "access-control-request-method": verb },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-methods")?.split(", ")).toContain(verb);
    const init = { method: verb, headers: { ...json, origin: page }, body };
    const answer = await client().request(path, init);
    expect(answer).toMatchObject({ status: 200, body: { payload } });
    expect(answer.headers.get("access-control-allow-origin")).toBe(page);
  });

  test.each(["PUT", "PATCH", "DELETE"])("may not send %s otherwise", async (verb) => {
    const { client } = await start({ methods });
    const path = `/api/rpc/${{ PUT: "put", PATCH: "patch", DELETE: "remove" }[verb]}`;
    for (const [name, value] of [
      ["origin", page],
      ["sec-fetch-site", "same-site"],
    ] as const) {
      const init = { method: verb, headers: { ...json, [name]: value }, body };
      expectProblem(await client().request(path, init), "403 foreign_origin");
    }
  });
});
