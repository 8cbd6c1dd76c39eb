import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema.ts";

type Item = components["schemas"]["addItemToBasketPayload"];
type Profile = components["schemas"]["updateUserPayload"];

const results: unknown[] = [];
let cookie = "";

/** The cookies of one visitor, as a browser stores them. */
const jar: Middleware = {
  onRequest({ request }) {
    if (cookie !== "") request.headers.set("cookie", cookie);
    return request;
  },
  onResponse({ response }) {
    results.push(response.status);
    cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie;
  },
};

const client = createClient<paths>({ baseUrl: process.argv[2] });
client.use(jar);

const settings = await client.GET("/rpc/getShopConfiguration");
results.push(settings.data?.currency);

const added = await client.POST("/rpc/addItemToBasket", {
  params: { header: { "Idempotency-Key": "first", "If-Match": '"0"', "x-shop-id": 1001 } },
  body: { payload: { variantId: 7, quantity: 2, customData: { engraving: "Ada" } } },
});
if (added.data === undefined) throw new Error(added.error.code);
const data = added.data;
const variantId: number | string | undefined = data.basket.items[0]?.variantId;
results.push(variantId, data.basket.itemCount, data.basket.revision);
// @ts-expect-error: an unknown property of a result.
results.push(data.nope);
// @ts-expect-error: an unknown property of a line, which is open, has no known type.
void (data.basket.items[0]?.nope satisfies string | undefined);
// @ts-expect-error: an unknown path.
void (() => client.GET("/nope"));
// @ts-expect-error: an unknown method.
void (() => client.POST("/rpc/nope"));
// @ts-expect-error: a wrong verb.
void (() => client.GET("/rpc/login"));
// @ts-expect-error: the payload is missing.
void (() => client.POST("/rpc/addItemToBasket", { body: {} }));
void (() =>
  client.POST("/rpc/addItemToBasket", {
    // @ts-expect-error: a misspelled property of a payload.
    body: { payload: { varaintId: 7, quantity: 1 } },
  }));
// openapi-fetch also accepts unknown properties, but the type of the payload doesn't.
// @ts-expect-error: an unknown property of a payload.
void ({ variantId: 7, quantity: 1, colour: "red" } satisfies Item);
// @ts-expect-error: a misspelled property of a payload whose properties are all optional.
void ({ firstName: "Ada", lsatName: "Lovelace" } satisfies Profile);
// Values of the visitor's own stay open.
void (() =>
  client.POST("/rpc/addItemToBasket", {
    body: { payload: { variantId: 7, quantity: 1, customData: { colour: "red" } } },
  }));

const registered = await client.POST("/rpc/register", {
  body: { payload: { email: "ada@example.com", password: "correct horse", firstName: "Ada" } },
});
results.push(registered.data?.user.firstName, registered.data?.merge.lines[0]?.outcome);

const greeting = await client.POST("/rpc/greet");
results.push(greeting.data);

const rejected = await client.PUT("/rpc/addItemToBasket", {
  body: { payload: { variantId: 7, quantity: 0 } },
});
const code: string | undefined = rejected.error?.code;
results.push(code, rejected.error?.errors?.[0]?.path);

const changed = await client.DELETE("/rpc/clearBasket", {
  params: { header: { "If-Match": '"99"' } },
});
results.push(changed.error?.code);

const sessions = await client.POST("/rpc/listSessions");
results.push(sessions.data?.sessions[0]?.current);

const left = await client.POST("/rpc/logout");
results.push(left.data ?? null);

console.log(JSON.stringify(results));
