/** The config of a start in the bench: it imports no package but this one. */
import { defineStorefrontConfig } from "storefront-core";
import { createUser } from "./user.mjs";

const refuse = () => Promise.reject(new Error("Not in the bench"));

export default defineStorefrontConfig({
  shops: [{ shopId: 1001, locale: "de-DE", currency: "EUR" }],
  session: { secret: "a secret that only this benchmark uses" },
  storage: { session: { driver: "memory" }, singleProcess: true },
  auth: {
    login: async ({ email }) => createUser(email),
    register: refuse,
    changePassword: refuse,
  },
});
