import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { medusa, type MedusaBasket, type MedusaGrant } from "../../adapters/medusa.ts";
import type { LoginVisit, ShopUser } from "../../server/index.ts";
import { createTestVisit } from "../_visit.ts";
import { startMedusa, type TestMedusa } from "./_medusa.ts";

let system: TestMedusa;
let backend: ReturnType<typeof medusa>;

beforeAll(async () => {
  system = await startMedusa();
  backend = medusa({ ...system, regionId: system.regions.eur });
});
afterAll(() => system.stop());

describe("grants and baskets of a guest", () => {
  test("finds the cart by its ID, and shows product, price, and stock", async () => {
    const guest = await beginGuest();
    await set(guest, { variantId: system.variants.cable, quantity: 2 });
    const basket = await baskets().read(guest);
    expect(basket).toMatchObject({ currency_code: "eur", tax_total: 3.42, total: 21.42 });
    expect(basket.items).toEqual([
      {
        key: expect.any(String),
        variantId: system.variants.cable,
        quantity: 2,
        product_id: expect.any(String),
        product_title: "Desk",
        product_handle: "desk",
        thumbnail: null,
        variant_title: "CABLE",
        variant_sku: "CABLE",
        unit_price: 9,
        total: 21.42,
        stock: 1000,
      },
    ]);
    // The ID of a cart is all that Medusa wants to see or change it.
    expect(JSON.stringify(basket)).not.toContain(guest.grant?.cartId);
  });

  test("sets quantities, so that a repeated call changes nothing", async () => {
    const guest = await beginGuest();
    const targets = [
      { variantId: system.variants.cable, quantity: 3 },
      { variantId: system.variants.laptop, quantity: 1 },
    ];
    await set(guest, ...targets);
    const { basket } = await set(guest, ...targets);
    expect(toQuantities(basket)).toEqual({ CABLE: 3, LAPTOP: 1 });
    const { basket: cleared } = await set(
      guest,
      ...targets.map((target) => ({ ...target, quantity: 0 })),
    );
    expect(cleared.items).toEqual([]);
  });

  test("keeps lines of one variant apart if their custom data differ", async () => {
    const guest = await beginGuest();
    const variantId = system.variants.cable;
    // PostgreSQL changes the order of keys.
    const engraved = { variantId, customData: { engraving: "Ada", at: { longer: 1, x: 2 } } };
    await set(guest, { variantId, quantity: 1 }, { ...engraved, quantity: 2 });
    const { basket } = await set(guest, { ...engraved, quantity: 5 });
    expect(basket.items.map(({ quantity, customData }) => [quantity, customData])).toEqual([
      [1, undefined],
      [5, engraved.customData],
    ]);
  });

  test("fills a line up to the stock, and reports the shortage", async () => {
    const guest = await beginGuest();
    const variantId = system.variants.mouse;
    const { short, basket } = await set(guest, { variantId, quantity: 5 });
    expect(short).toEqual([{ variantId, reason: "out_of_stock", quantity: 2 }]);
    expect(toQuantities(basket)).toEqual({ MOUSE: 2 });
  });

  test("reports a variant that doesn't exist, and sets the other targets", async () => {
    const guest = await beginGuest();
    const targets = [
      { variantId: "variant_none", quantity: 1 },
      { variantId: system.variants.cable, quantity: 1 },
    ];
    const { short, basket } = await set(guest, ...targets);
    expect(short).toEqual([{ variantId: "variant_none", reason: "unavailable", quantity: 0 }]);
    expect(toQuantities(basket)).toEqual({ CABLE: 1 });
  });

  test("rejects an unknown coupon code with Medusa's reason, and applies a known one", async () => {
    const guest = await beginGuest();
    await set(guest, { variantId: system.variants.laptop, quantity: 1 });
    await expect(baskets().addCode?.("NONE", guest)).rejects.toMatchObject({
      code: "coupon_code_invalid",
      status: 422,
      title: "The promotion code NONE is invalid",
    });
    const basket = await baskets().addCode?.("TEN", guest);
    expect(basket).toMatchObject({ promotions: [{ code: "TEN" }], discount_total: 154.581 });
    expect(await baskets().removeCode?.("TEN", guest)).toMatchObject({
      promotions: [],
      discount_total: 0,
    });
  });

  test("uses the currency of the shop's region", async () => {
    const american = medusa({ ...system, regionId: system.regions.usd });
    const visit = createTestVisit() as LoginVisit<MedusaGrant>;
    const grant = await american.grants?.begin?.(visit);
    const targets = [{ variantId: system.variants.cable, quantity: 1 }];
    const guest = { ...visit, grant };
    const seen = (await american.baskets?.read(guest)) as MedusaBasket;
    const outcome = await american.baskets?.set({ targets, seen }, guest);
    expect(outcome?.basket).toMatchObject({ currency_code: "usd", total: 10 });
  });
});

test("the doctor's check finds a wrong region, key, or currency", async () => {
  const { shop, fetch } = createTestVisit();
  const check = (changes: object, currency = "EUR") => {
    const options = { ...system, regionId: system.regions.eur, ...changes };
    return medusa(options).check?.({ shop: { ...shop, currency }, fetch });
  };
  await expect(check({})).resolves.toBeUndefined();
  await expect(check({}, "USD")).rejects.toThrow("region is EUR, and that of the shop USD");
  const rejected = { code: "commerce_failed" };
  await expect(check({ regionId: "reg_none" })).rejects.toMatchObject(rejected);
  await expect(check({ publishableKey: "pk_none" })).rejects.toMatchObject(rejected);
});

describe("accounts", () => {
  test("registers a customer, and logs the customer in", async () => {
    const credentials = createCredentials();
    const registered = await register({ ...credentials, firstName: "Ada", lastName: "Lovelace" });
    expect(registered.user).toEqual({
      id: expect.stringMatching(/^cus_/),
      email: credentials.email,
      firstName: "Ada",
      lastName: "Lovelace",
    });
    const { user, grant } = await logIn(credentials);
    expect(user).toEqual(registered.user);
    const hours = ((grant?.expiresAt ?? 0) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(11.9);
    expect(hours).toBeLessThanOrEqual(12);
  });

  test("rejects a wrong password, an unknown address, and an address that is taken", async () => {
    const credentials = createCredentials();
    await register(credentials);
    const { user } = await logIn({ ...credentials, password: "wrong horse" });
    expect(user).toBeUndefined();
    expect((await logIn(createCredentials())).user).toBeUndefined();
    const taken = { code: "email_taken" };
    await expect(register(credentials)).rejects.toMatchObject(taken);
    await expect(register({ ...credentials, password: "other horse" })).rejects.toMatchObject(
      taken,
    );
  });

  test("completes a registration that ended before the customer existed", async () => {
    const credentials = createCredentials();
    await post("/auth/customer/emailpass/register", credentials);
    expect((await logIn(credentials)).user).toBeUndefined();
    expect((await register(credentials)).user).toMatchObject({ email: credentials.email });
  });

  test("renews a token, and ends a login that Medusa doesn't know", async () => {
    const { visit, grant } = await register(createCredentials());
    const renewed = await backend.grants?.renew?.({ ...visit, grant: grant as MedusaGrant });
    expect(renewed).toMatchObject({ token: expect.any(String), expiresAt: expect.any(Number) });
    const forged = { token: `${grant?.token}x` };
    expect(await backend.grants?.renew?.({ ...visit, grant: forged })).toBeUndefined();
  });

  test("checks the password of a customer without a new grant", async () => {
    const credentials = createCredentials();
    const { visit, user } = await register(credentials);
    const check = (password: string) => accounts().verifyPassword?.({ user, password }, visit);
    expect(await check(credentials.password)).toBe(true);
    expect(await check("wrong horse")).toBe(false);
  });

  test("sets a new password with the token of Medusa's event, once", async () => {
    const credentials = createCredentials();
    const { visit, user } = await register(credentials);
    const { email } = credentials;
    await accounts().requestPasswordReset?.({ email }, visit);
    await accounts().requestPasswordReset?.({ email: "nobody@example.com" }, visit);
    const token = await system.readOutput(new RegExp(`"${email}".*"token":"([^"]+)"`));
    const reset = (given: string, newPassword: string) =>
      accounts().resetPassword?.({ token: given, newPassword }, visit);
    expect(await reset(`${token}x`, "other horse")).toBeUndefined();
    expect(await reset("no\ntoken", "other horse")).toBeUndefined();
    expect(await reset(token, "other horse")).toEqual(user);
    expect(await reset(token, "third horse")).toBeUndefined();
    expect((await logIn(credentials)).user).toBeUndefined();
    expect((await logIn({ email, password: "other horse" })).user).toEqual(user);
  });

  test("changes the profile", async () => {
    const { visit, user } = await register(createCredentials());
    const change = { user, profile: { firstName: "Augusta" } };
    expect(await accounts().updateUser?.(change, visit)).toMatchObject({ firstName: "Augusta" });
  });
});

describe("baskets of a customer", () => {
  test("finds the cart on another device, and in another shop none", async () => {
    const credentials = createCredentials();
    const { visit } = await register(credentials);
    expect((await baskets().read(visit)).items).toEqual([]);
    await set(visit, { variantId: system.variants.cable, quantity: 4 });
    const phone = await logIn(credentials);
    expect(toQuantities(await baskets().read(phone.visit))).toEqual({ CABLE: 4 });
    const shop = { ...visit.shop, shopId: 2 };
    expect((await baskets().read({ ...phone.visit, shop })).items).toEqual([]);
  });

  test("begins a new cart after an order", async () => {
    const { visit, user } = await register(createCredentials());
    await set(visit, { variantId: system.variants.cable, quantity: 4 });
    const cartId = await backend.findCartId(visit);
    expect(cartId).toMatch(/^cart_/);
    completeCarts(user);
    expect(await backend.findCartId(visit)).toBeUndefined();
    expect((await baskets().read(visit)).items).toEqual([]);
    const { basket } = await set(visit, { variantId: system.variants.cable, quantity: 1 });
    expect(toQuantities(basket)).toEqual({ CABLE: 1 });
    expect(await backend.findCartId(visit)).not.toBe(cartId);
  });
});

// --- Internal helpers ---

type Targets = Parameters<ReturnType<typeof baskets>["set"]>[0]["targets"];
type MedusaVisit = LoginVisit<MedusaGrant>;

const baskets = () => backend.baskets as NonNullable<typeof backend.baskets>;
const accounts = () => backend.accounts as NonNullable<typeof backend.accounts>;

function toQuantities({ items }: Awaited<ReturnType<ReturnType<typeof baskets>["read"]>>) {
  return Object.fromEntries(items.map((line) => [line.variant_sku, line.quantity]));
}

async function beginGuest(): Promise<MedusaVisit> {
  const visit = createTestVisit() as MedusaVisit;
  return { ...visit, grant: await backend.grants?.begin?.(visit) };
}

/** Brings lines to quantities, as the storefront does it: after a read. */
async function set(visit: MedusaVisit, ...targets: Targets) {
  return baskets().set({ targets, seen: await baskets().read(visit) }, visit);
}

function createCredentials() {
  return { email: `${randomUUID()}@example.com`, password: "correct horse" };
}

async function logIn(credentials: ReturnType<typeof createCredentials>) {
  let grant: MedusaGrant | undefined;
  const visit = { ...createTestVisit(), setGrant: (given: MedusaGrant) => void (grant = given) };
  const user = await accounts().login(credentials, visit as MedusaVisit);
  return { user, grant, visit: { ...visit, user, grant } as MedusaVisit };
}

async function register(registration: Parameters<ReturnType<typeof accounts>["register"]>[0]) {
  let grant: MedusaGrant | undefined;
  const visit = { ...createTestVisit(), setGrant: (given: MedusaGrant) => void (grant = given) };
  const user = await accounts().register(registration, visit as MedusaVisit);
  return { user, grant, visit: { ...visit, user, grant } as MedusaVisit };
}

async function post(path: string, body: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  await fetch(system.url + path, { method: "POST", headers, body: JSON.stringify(body) });
}

/** Makes Medusa believe that the carts of a customer were ordered. */
function completeCarts({ id }: ShopUser): void {
  const statement = `update cart set completed_at = now() where customer_id = '${id}'`;
  execFileSync("psql", ["-q", "-c", statement, system.databaseUrl]);
}
