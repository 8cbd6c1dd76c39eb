import { describe, expect, test } from "vitest";
import { createFaultyDriver, outage } from "../_faulty-driver.ts";
import { createSetup } from "../_setup.ts";
import { bare, crossSite, expectProblem, from, methods, typed } from "../_wire.ts";

describe("the wire and the storage", () => {
  const { start, startControlled, allowErrors } = createSetup("memory", "request", () => ({
    driver: "memory",
  }));

  test.each(["read", "write"] as const)(
    "responds with 503 and Retry-After, without a cookie, if the storage fails to %s",
    async (kind) => {
      allowErrors();
      const faulty = createFaultyDriver();
      const { client, lines } = await start({ methods, storage: { session: faulty.driver } });
      const guest = client();
      if (kind === "read") await guest.call("note", { begun: true });
      faulty.before = (operation) => operation.kind === kind && outage();
      // Nobody is taken for a guest because their session cannot be read.
      const [method, payload] = kind === "read" ? ["getUser"] : ["note", { more: true }];
      const answer = await guest.call(method as string, payload);
      expectProblem(answer, "503 storage_unavailable");
      expect(answer.headers.get("retry-after")).toBe("1");
      expect(JSON.stringify(answer.body)).not.toMatch(/driver|faulty|out of order/);
      const errors = lines.filter(({ level }) => level === "error");
      expect(errors).toMatchObject([{ details: { instance: answer.body.instance } }]);
      faulty.heal();
      expect((await guest.call("notes")).body).toEqual(kind === "read" ? { begun: true } : {});
    },
  );

  test("accepts a call from a page of the shop's own host", async () => {
    const { client } = await start();
    const own = [{ origin: "http://localhost" }, { origin: "https://localhost" }];
    for (const headers of [...own, { "sec-fetch-site": "same-origin" }]) {
      expect((await client().call("getUser", undefined, headers)).status).toBe(200);
    }
  });

  test("runs a public method without a session while the storage is down", async () => {
    const { client, storage } = await startControlled({ methods });
    const guest = client();
    await guest.call("note", { begun: true });
    storage.operations.length = 0;
    storage.fail("any");
    expect((await guest.request("/api/rpc/read", { headers: bare })).status).toBe(200);
    expect(await guest.call("read", 1)).toMatchObject({ status: 200, setCookies: [] });
    expect(await guest.call("act")).toMatchObject({ status: 200, setCookies: [], body: "done" });
    expect(storage.operations).toEqual([]);
  });

  test("rejects malformed requests without a storage operation", async () => {
    const { client, storage } = await startControlled({ methods });
    const guest = client();
    await guest.call("note", { begun: true });
    storage.operations.length = 0;
    expectProblem(await guest.call("note", {}, from("https://evil.example")), "403 foreign_origin");
    expectProblem(await guest.call("note", {}, crossSite), "403 foreign_origin");
    expectProblem(await guest.call("nothing"), "404 unknown_method");
    expectProblem(await guest.call("note", {}, { "x-shop-id": "9" }), "404 unknown_shop");
    expectProblem(await guest.call("note", {}, typed("text/plain")), "415 not_json");
    expect(storage.operations).toEqual([]);
  });
});
