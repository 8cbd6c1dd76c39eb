import { randomUUID } from "node:crypto";
import { createUser } from "../user.mjs";

const user = createUser("user-1@shop.example");
const line = { variantId: 7, quantity: 2, key: randomUUID(), addedAt: Date.now() };
const basket = { key: randomUUID(), items: [line], itemCount: 2, revision: 2 };

/** Results of the servers without sessions: always the same, and as long as ours. */
export const answers = {
  getUser: () => ({ user }),
  getNobody: () => ({}),
  setField: ({ value }) => ({ value }),
  addItemToBasket: () => ({ basket }),
  login: () => ({ user, merge: { status: "none" } }),
};

/** Creates a cookie as long as ours. No server reads it. */
export function createCookie() {
  return `session=${randomUUID()}${randomUUID()}; HttpOnly`;
}
