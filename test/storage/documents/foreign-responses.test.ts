import { describe, expect, test } from "vitest";
import type { Driver } from "unstorage";
import type { UnreadablePolicy } from "../../../storage/documents/documents.ts";
import { StorageUnavailableError } from "../../../storage/documents/unavailable.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import { increment, isCounter, openCounters, setTo } from "../../_documents.ts";
import { startFileServer, type FileServer } from "../../_file-server.ts";
import { createSetup } from "../../_setup.ts";
import { testMethods } from "../../fixtures/methods.ts";

/** The bodies that a proxy sends with status 200 instead of a document. */
const pages: readonly (readonly [string, string | Buffer])[] = [
  ["an HTML page", "<!doctype html><title>Log in</title>"],
  ["an empty body", ""],
  ["JSON of another shape", '{"error":"login_required"}'],
  ["null", "null"],
  ["a text", "secret"],
  ["a list", '["secret"]'],
  ["a document without a value", '{"version":"1"}'],
  ["a document with a wrong end", '{"version":"1","expiresAt":"secret","value":{"count":1}}'],
  ["half a document", '{"version":"x","value":{"cou'],
  ["bytes", Buffer.from([0xff, 0x00, 0xfe])],
];

describe.each(["drop", "setAside", "refuse"] as UnreadablePolicy[])(
  "a collection, %s",
  (policy) => {
    test.each(pages)(
      "fails while a proxy responds with %s, and changes nothing",
      async (_, page) => {
        const server = await startFileServer();
        const { store, lines } = openCounters(openDriver({ driver: "http", base: server.url }));
        const counters = store.collection("counter:1", isCounter, policy);
        const read = await counters.update("a", setTo(7));
        const before = new Map(server.files);
        server.page = page;
        for (const call of [
          () => counters.get("a"),
          () => counters.update("a", increment),
          () => counters.update("a", increment, read),
          () => counters.take("a"),
          () => store.ping(),
        ]) {
          await expect(call()).rejects.toThrow(StorageUnavailableError);
        }
        expect(server.files).toEqual(before);
        expect(lines).toEqual([]);
        server.page = undefined;
        expect((await counters.update("a", increment)).value).toEqual({ count: 8 });
      },
    );
  },
);

describe("a session whose storage is behind a proxy", () => {
  let server: FileServer;
  let driver: Driver;
  const { start, allowErrors } = createSetup("memory", "request", () => driver);

  test.each(pages)("outlives a time in which the proxy responds with %s", async (_, page) => {
    server = await startFileServer();
    driver = openDriver({ driver: "http", base: server.url });
    allowErrors();
    const { client, lines } = await start({
      methods: testMethods,
      session: { cache: false, tokenMethod: ["cookie", "bearer"] },
    });
    const user = client();
    await user.call("enter", { id: 7 });
    await user.call("addItemToBasket", { variantId: 7, quantity: 2 });
    server.page = page;
    for (const [method, payload] of [
      ["getUser", undefined],
      ["getBasket", undefined],
      ["note", { later: true }],
      ["addItemToBasket", { variantId: 7, quantity: 1 }],
      ["logout", undefined],
    ] as const) {
      const answer = await user.call(method, payload);
      expect(answer, method).toMatchObject({
        status: 503,
        body: { code: "storage_unavailable" },
        setCookies: [],
      });
      expect(answer.headers.get("storefront-auth-token")).toBeNull();
    }
    const logged = lines.filter(({ level }) => level === "error").map(({ details }) => details);
    expect(JSON.stringify(logged)).toMatch(
      /The read of \\"session(?:-generations)?:[^"]+\\" returned/,
    );
    server.page = undefined;
    expect((await user.call("getUser")).body.user).toMatchObject({ id: 7 });
    expect((await user.call("getBasket")).body.basket.itemCount).toBe(2);
  });
});
