// The calls of a visitor, through `fetch` alone. Every runtime must return the same results.

/** @returns a line for each call: its name, and its status or result */
export async function converse(createStorefront, storage, { isAtomic = true } = {}) {
  const lines = [];
  const log = { debug() {}, info() {}, warn() {}, error: (...all) => lines.push(String(all[0])) };
  const storefront = createStorefront(
    {
      shops: [{ shopId: 1001, locale: "de-DE", currency: "EUR" }],
      session: { secret: "a-secret-for-tests-only-of-more-than-32-characters" },
      storage: { session: storage },
      log,
    },
    { production: false },
  );
  const jar = { cookie: "" };
  const call = async (method, payload, { verb = "POST", cookie = jar.cookie } = {}) => {
    const response = await storefront.fetch(
      new Request(`http://localhost/api/rpc/${method}`, {
        method: verb,
        headers: { "content-type": "application/json", cookie },
        ...(verb === "POST" && { body: JSON.stringify({ payload }) }),
      }),
    );
    for (const line of response.headers.getSetCookie()) jar.cookie = line.split(";")[0];
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  };
  const add = (variantId) => call("addItemToBasket", { variantId, quantity: 1 });

  await storefront.ready();
  const calls = [
    [
      "reads a public method by GET",
      () => call("getShopConfiguration", undefined, { verb: "GET" }),
    ],
    ["rejects an unknown method", () => call("nope")],
    ["rejects a body that is too large", () => call("addItemToBasket", { text: "x".repeat(2e5) })],
    ["starts a session with the first item", () => add(1)],
    ["rejects a common password", () => register("password1")],
    ["registers", () => register("correct horse x")],
    ["reads the user", () => call("getUser")],
    [
      "renews the cookie that was changed",
      () => call("getBasket", undefined, { cookie: `${jar.cookie}x` }),
    ],
  ];
  for (const [name, run] of calls) lines.push(`${name}: ${(await run()).status}`);
  const more = Array.from({ length: 10 }, (_, index) => () => add(index + 2));
  if (isAtomic) await Promise.all(more.map((run) => run()));
  else for (const run of more) await run();
  lines.push(`keeps ${(await call("getBasket")).body.basket.itemCount} items`);
  const { cookie } = jar;
  lines.push(`logs out: ${(await call("logout")).status}`);
  const { body } = await call("getUser", undefined, { cookie });
  lines.push(`the session has ended: ${body.user === undefined}`);
  await storefront.close();
  return lines;

  function register(password) {
    return call("register", { email: `${crypto.randomUUID()}@example.com`, password });
  }
}
