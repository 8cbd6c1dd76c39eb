// Starts a server that issues bearer tokens, and calls its methods.
import { serve } from "h3";
import { createStorefront } from "storefront-core";
import { request } from "./request.js";

const storefront = createStorefront({
  shops: [{ shopId: 1001, locale: "en-GB", currency: "GBP" }],
  session: { tokenMethod: "bearer", authTokenHeaderKey: "vendure-auth-token" },
});
const server = serve(storefront, { port: 0, hostname: "127.0.0.1", silent: true });
await server.ready();
const call = (method, payload) => request(new URL(server.url).origin, method, payload);

const added = await call("addItemToBasket", { variantId: 7, quantity: 2 });
console.log("a guest's basket:", added.basket.itemCount);
await call("register", { email: "ada@example.com", password: "correct horse" });
console.log("the user:", (await call("getUser")).user.email);
console.log("the user's basket:", (await call("getBasket")).basket.itemCount);
await call("logout");
console.log("after the logout:", (await call("getUser")).user ?? "a guest");

await server.close(true);
await storefront.close();
