import { randomUUID } from "node:crypto";
import { createUser } from "../user.mjs";

const user = createUser("user-1@shop.example");
const line = { variantId: 7, quantity: 2, key: randomUUID(), addedAt: Date.now() };
const basket = { key: randomUUID(), items: [line], itemCount: 2, revision: 2 };

/** What servers without sessions answer: as much as ours, but always the same. */
export const answers = {
  getUser: () => ({ user }),
  getNobody: () => ({}),
  setField: ({ value }) => ({ value }),
  addItemToBasket: () => ({ basket }),
  login: () => ({ user, merge: { status: "none" } }),
};

/** A cookie as long as ours, which nobody looks at. */
export function createCookie() {
  return `session=${randomUUID()}${randomUUID()}; HttpOnly`;
}
