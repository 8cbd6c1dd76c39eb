import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { builtinMethods } from "../../../rpc/methods/builtin.ts";
import { createMailbox } from "../../_mails.ts";
import { describeStorages } from "../../_setup.ts";
import { requestDocument } from "./_document.ts";

const ada = { email: "ada@example.com", password: "correct horse" };
const password = "another correct horse";

describe("the described results of the built-in methods", () => {
  test("exist for each method", async () => {
    const { document } = await requestDocument();
    for (const name of Object.keys(builtinMethods)) {
      const responses = document.paths[`/rpc/${name}`]?.["post"]?.responses ?? {};
      expect("200" in responses, name).toBe(!("204" in responses));
    }
  });
});

describeStorages("the described results of the built-in methods", ({ start }) => {
  test("match those of real calls", async () => {
    const { document } = await requestDocument();
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    ajv.addSchema(close(document) as object, "document");
    const mailbox = createMailbox();
    const { client } = await start({ mailer: mailbox.mailer });
    const visitor = client();
    const called = new Set<string>();
    async function call(name: string, payload?: unknown) {
      const { status, body } = await visitor.call(name, payload);
      called.add(name);
      const responses = document.paths[`/rpc/${name}`]?.["post"]?.responses ?? {};
      expect(responses, `${name}: ${JSON.stringify(body)}`).toHaveProperty(String(status));
      expect(status, `${name}: ${JSON.stringify(body)}`).toBeLessThan(300);
      if (status === 204) return body;
      const at = `document#/paths/~1rpc~1${name}/post/responses/200/content/application~1json/schema`;
      const validate = ajv.getSchema(at);
      expect(validate?.(body), `${name}: ${JSON.stringify(validate?.errors)}`).toBe(true);
      return body;
    }

    await call("getShopConfiguration");
    await call("getUser");
    await call("getBasket");
    await call("getWishlist");
    await call("addItemToBasket", { variantId: 7, quantity: 2, customData: { engraving: "Ada" } });
    const { basket } = await call("addItemsToBasket", { items: [{ variantId: "b", quantity: 1 }] });
    await call("updateBasketItem", { itemKey: basket.items[1].key, quantity: 3 });
    await call("addItemToWishlist", { variantId: 7 });
    const { wishlist } = await call("addItemToWishlist", { productId: "p" });
    const { user } = await call("register", { ...ada, firstName: "Ada" });
    const token = await mailbox.token("verifyEmail", ada.email);
    await call("verifyEmail", { token });
    await call("getUser");
    await call("updateUser", { lastName: "Lovelace" });
    await call("updatePassword", { oldPassword: ada.password, newPassword: password });
    await call("reauthenticate", { password });
    await call("updateEmail", { email: "countess@example.com" });
    await call("requestEmailVerification", { email: "countess@example.com" });
    await call("listSessions");
    await call("removeItemFromBasket", { itemKey: basket.items[0].key });
    await call("removeItemFromWishlist", { itemKey: wishlist.items[0].key });
    await call("clearBasket");
    await call("clearWishlist");
    await call("logoutEverywhere", { keepCurrent: true });
    await call("logout");
    await call("addItemToBasket", { variantId: 8, quantity: 1 });
    await call("login", { email: "countess@example.com", password });
    const { sessions } = await call("listSessions");
    await call("revokeSession", { handle: sessions[0].handle });
    expect(user.email).toBe(ada.email);
    const others = ["requestPasswordReset", "resetPassword"];
    expect([...called, ...others].toSorted()).toEqual(Object.keys(builtinMethods).toSorted());
  });
});

// --- Internal helpers ---

/** A copy in which no object has properties that it doesn't name, so that no field of a result stays undescribed. */
function close(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(close);
  if (typeof part !== "object" || part === null) return part;
  const entries = Object.entries(part).map(([key, value]) => [key, close(value)] as const);
  const closed = Object.fromEntries(entries);
  const isObject = closed["type"] === "object" && closed["properties"] !== undefined;
  return isObject ? { ...closed, additionalProperties: false } : closed;
}
