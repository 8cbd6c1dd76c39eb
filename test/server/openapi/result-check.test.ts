import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { builtinMethods } from "../../../rpc/methods/builtin.ts";
import { findFault } from "../../../server/openapi/results.ts";
import { createStorefront } from "../../../server/storefront.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { CookieClient } from "../../_cookie-client.ts";
import { createSetup, forProduction, testConfig } from "../../_setup.ts";

vi.mock("../../../server/openapi/results.ts", { spy: true });
beforeEach(() => void vi.mocked(findFault).mockClear());

const wrong = {
  wishlist: { key: null, items: [{ key: "a", variantId: 0, addedAt: "today" }] },
};

describe("in development and in tests", () => {
  const { start, allowErrors } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("a built-in method that returns another result than described logs its name and the path", async () => {
    allowErrors();
    returnWrong();
    const { client, lines } = await start();
    const { status, body } = await client().call("getWishlist");
    expect([status, body]).toEqual([200, wrong]);
    expect(lines.filter(({ level }) => level === "error")).toEqual([
      {
        level: "error",
        message: "A built-in method returned another result than the OpenAPI document describes",
        details: {
          shopId: 1001,
          method: "getWishlist",
          fault: expect.stringMatching(
            /^wishlist\.items\.0\.variantId: .+; wishlist\.items\.0\.addedAt: /,
          ),
        },
      },
    ]);
  });

  test("a built-in method that another method calls is checked, too", async () => {
    allowErrors();
    returnWrong();
    const outer = defineRpcMethod({ handler: (_, { callRpc }) => callRpc("getWishlist") });
    const { client, lines } = await start({ methods: { outer } });
    await client().call("outer");
    expect(lines).toContainEqual(
      expect.objectContaining({ details: expect.objectContaining({ method: "getWishlist" }) }),
    );
  });

  test("a method of the config that replaces a built-in one is not checked", async () => {
    const getWishlist = defineRpcMethod({ handler: () => "mine" });
    const { client } = await start({ methods: { getWishlist } });
    expect((await client().call("getWishlist")).body).toBe("mine");
    expect(findFault).not.toHaveBeenCalled();
  });
});

test.each([true, false])(
  "without a development server, no result is checked: production %s",
  async (production) => {
    returnWrong();
    const { log, lines } = createTestLog();
    const storefront = createStorefront(testConfig({ log, ...forProduction }), { production });
    onTestFinished(() => storefront.close());
    const client = new CookieClient(async (url, init) =>
      storefront.fetch(new Request(new URL(url, "https://shop.example"), init)),
    );
    expect((await client.call("getWishlist")).body).toEqual(wrong);
    expect(findFault).not.toHaveBeenCalled();
    expect(lines.filter(({ level }) => level === "error")).toEqual([]);
  },
);

// --- Internal helpers ---

/** Makes the method `getWishlist` return a wrong result until the test ends. */
function returnWrong(): void {
  const method = builtinMethods.getWishlist as unknown as { handler: () => unknown };
  const { handler } = method;
  onTestFinished(() => void (method.handler = handler));
  method.handler = () => wrong;
}
