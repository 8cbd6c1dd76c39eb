import * as fc from "fast-check";
import { describe, expect } from "vitest";
import type { Auth } from "../../rpc/accounts/auth.ts";
import type { BasketView } from "../../rpc/lists/basket.ts";
import type { BasketItem } from "../../rpc/lists/basket-line.ts";
import { builtinMethods } from "../../rpc/methods/builtin.ts";
import { testProperty, useStorefront } from "../_fuzz.ts";
import { hostileText, jsonText, numberText, stringText, toObjectText } from "../_hostile.ts";
import { CookieClient, type Answer } from "../_cookie-client.ts";

const basket = { maxItems: 4, maxQuantity: 20 };
const wishlist = { maxItems: 3 };

/** Knows everybody, and hashes nothing. */
const auth: Auth = {
  login: ({ email, password }) => Promise.resolve(password === "wrong" ? undefined : toUser(email)),
  register: ({ email }) => Promise.resolve(toUser(email)),
  changePassword: ({ oldPassword }) => Promise.resolve(oldPassword !== "wrong"),
  updateUser: ({ user, profile }) => Promise.resolve({ ...user, ...profile }),
  changeEmail: ({ user, email }) => Promise.resolve({ ...user, email }),
};

const takeStorefront = useStorefront(
  { basket, wishlist, auth, loginAttempts: false, session: { maxSessionsPerUser: 3 } },
  () => Promise.resolve(undefined),
);

const tooLong = JSON.stringify("a".repeat(65));

/** Values that a field takes, more often than not. */
const fields: Readonly<Record<string, fc.Arbitrary<string>>> = {
  variantId: mostly("7", "7", "8", '"7"', '"__proto__"', JSON.stringify("a".repeat(64)), tooLong),
  productId: mostly("7", '"7"', '"b"'),
  quantity: mostly("1", "1", "2", "3", "20"),
  customData: fc.oneof(
    { weight: 25, arbitrary: fc.constantFrom("{}", '{"a":[0]}', '{"a":[-0]}') },
    fc.constantFrom('{"__proto__":{"polluted":1}}', '{"a":1,"a":0}', '{"b":1e999}', '{"c":1e308}'),
    jsonText,
    fc.array(fc.tuple(hostileText, jsonText), { maxLength: 3 }).map(toObjectText),
  ),
  itemKey: mostly('"@0"', '"@0"', '"@1"', '"@2"'),
  handle: mostly('"@handle"', '"__proto__"'),
  email: mostly('"@me"', '"@me"', '"@other"'),
  password: mostly('"correct horse"', '"wrong"'),
  oldPassword: mostly('"correct horse"', '"wrong"'),
  newPassword: mostly('"correct horse"'),
  firstName: mostly('"Ada"'),
  lastName: mostly('"Lovelace"'),
  rememberMe: mostly("true", "false"),
  keepCurrent: mostly("true", "false"),
};

const line = ["variantId", "quantity", "customData?"];

/** The payload fields of the methods; the other methods get any of the fields. */
const shapes: Readonly<Record<string, readonly string[]>> = {
  login: ["email", "password", "rememberMe?"],
  register: ["email", "password", "firstName?", "lastName?"],
  logoutEverywhere: ["keepCurrent?"],
  updateUser: ["firstName?", "lastName?"],
  updateEmail: ["email"],
  updatePassword: ["oldPassword", "newPassword"],
  reauthenticate: ["password"],
  revokeSession: ["handle"],
  addItemToBasket: line,
  updateBasketItem: ["itemKey", "quantity?", "customData?"],
  removeItemFromBasket: ["itemKey"],
  removeItemFromWishlist: ["itemKey"],
};

const wish = fc.oneof(
  objectOf(["variantId"]),
  objectOf(["productId"]),
  objectOf(["variantId", "productId?"]),
);
const lines = fc
  .array(objectOf(line), { maxLength: 6 })
  .map((items) => `{"items":[${items.join(",")}]}`);

const payloads = new Map(
  Object.keys(builtinMethods).map((name) => {
    const shape = shapes[name] ?? Object.keys(fields).map((field) => `${field}?`);
    const shaped = { addItemToWishlist: wish, addItemsToBasket: lines }[name] ?? objectOf(shape);
    const arbitrary = fc.oneof({ weight: 7, arbitrary: shaped }, jsonText, fc.constant(undefined));
    return [name, arbitrary] as const;
  }),
);

/** Baskets more often than the rest. */
const itemMethods = [...payloads.keys()].filter((name) => /^(?:add|update)\w*Item/.test(name));
const names = [...payloads.keys(), ...itemMethods, ...itemMethods, ...itemMethods, ...itemMethods];
const callOfAny = fc.constantFrom(...names).chain((name) => {
  return fc.tuple(fc.constant(name), payloads.get(name) ?? jsonText);
});
const calls = fc.array(callOfAny, { minLength: 1, maxLength: 8, size: "max" });

describe("calls of every method", () => {
  testProperty("leave a valid basket of a guest", 200, calls, async (conversation) => {
    const { send } = await takeStorefront();
    await converse(new CookieClient(send), createAddresses(), conversation);
  });

  testProperty("leave a valid basket of a user", 200, calls, async (conversation) => {
    const { send } = await takeStorefront();
    const client = new CookieClient(send);
    const addresses = createAddresses();
    const credentials = { email: addresses["@me"], password: "correct horse" };
    expect((await client.call("login", credentials)).status).toBe(200);
    await converse(client, addresses, conversation);
  });
});

// --- Internal helpers ---

let conversations = 0;

/** Returns email addresses that no other input uses. */
function createAddresses(): Readonly<Record<string, string>> {
  conversations++;
  return { "@me": `me${conversations}@shop.example`, "@other": `you${conversations}@shop.example` };
}

/** Each call gets a result or a problem. A rejected call changes no basket, and the session continues. */
async function converse(
  client: CookieClient,
  addresses: Readonly<Record<string, string>>,
  conversation: readonly (readonly [name: string, payload: string | undefined])[],
): Promise<void> {
  // A merge at login may bring a list to twice its limit.
  const logins = conversation.filter(([name]) => name === "login" || name === "register").length;
  let before: BasketView = (await call("getBasket")).body.basket;
  for (const [name, payload] of conversation) {
    const keys = before.items.map(({ key }) => key);
    const known = {
      ...addresses,
      ...Object.fromEntries(keys.map((key, index) => [`@${index}`, key])),
    };
    const text = payload?.replace(/"(@\w+)"/g, (_, word: string) =>
      JSON.stringify(known[word] ?? word),
    );
    const answer = await call(name, text);
    const after = await call("getBasket");
    expect(after.status).toBe(200);
    assertSound(after.body.basket);
    expect(after.body.basket.items.length).toBeLessThanOrEqual(
      basket.maxItems * (logins > 0 ? 2 : 1),
    );
    if (answer.status >= 400) expect(after.body.basket, `${name} ${text}`).toEqual(before);
    if (/^(?:add|update|remove|clear).*Basket/.test(name) && answer.status === 200) {
      expect(answer.body).toEqual(after.body);
    }
    before = after.body.basket;
  }
  const wishes: { key: string }[] = (await call("getWishlist")).body.wishlist.items;
  expect(new Set(wishes.map(({ key }) => key)).size).toBe(wishes.length);
  expect(wishes.length).toBeLessThanOrEqual(wishlist.maxItems * (logins > 0 ? 2 : 1));

  /** Sends raw JSON; `client.call` can only send the output of JSON.stringify. */
  function call(name: string, text?: string): Promise<Answer> {
    const headers = { "content-type": "application/json", "x-shop-id": "1001" };
    const body = text === undefined ? "{}" : `{"payload":${text}}`;
    return client.request(`/api/rpc/${name}`, { method: "POST", headers, body });
  }
}

function assertSound({ items, itemCount, key }: BasketView): void {
  expect(itemCount).toBe(items.reduce((sum, { quantity }) => sum + quantity, 0));
  expect(new Set(items.map((item) => item.key)).size).toBe(items.length);
  expect(new Set(items.map(toLine)).size, JSON.stringify(items)).toBe(items.length);
  if (items.length > 0) expect(typeof key).toBe("string");
  for (const { quantity, variantId, customData } of items) {
    expect(Number.isSafeInteger(quantity) && quantity >= 1).toBe(true);
    expect(quantity).toBeLessThanOrEqual(basket.maxQuantity);
    // Characters, not UTF-16 units.
    const isText = typeof variantId === "string" && /^.{1,64}$/su.test(variantId);
    expect(isText || (Number.isSafeInteger(variantId) && Number(variantId) > 0)).toBe(true);
    expect(JSON.stringify(customData ?? {}).length).toBeLessThanOrEqual(4096);
  }
}

/** Equal lines are equal texts. */
function toLine({ variantId, customData }: BasketItem): string {
  return JSON.stringify([variantId, sorted(customData ?? {})]);
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).map(([key, inner]) => [key, sorted(inner)] as const);
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function toUser(email: string) {
  return { id: email.toLowerCase().slice(0, 64), email };
}

function mostly(...good: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 40, arbitrary: fc.constantFrom(...good) },
    numberText,
    stringText,
    jsonText,
  );
}

/** An object of these fields, those with `?` perhaps; now and then with one too many or too few. */
function objectOf(shape: readonly string[]): fc.Arbitrary<string> {
  const members = shape.map((name) => {
    const field = name.replace("?", "");
    const member = fc.tuple(fc.constant(field), fields[field] ?? jsonText);
    return name === field ? member : fc.option(member, { nil: undefined, freq: 4 });
  });
  const stray = fc.tuple(fc.constantFrom("__proto__", "constructor", "quantity", "x"), jsonText);
  const extra = fc.oneof({ weight: 30, arbitrary: fc.constant(undefined) }, stray);
  return fc
    .tuple(...members, extra)
    .map((all) => toObjectText(all.filter((it) => it !== undefined)));
}
