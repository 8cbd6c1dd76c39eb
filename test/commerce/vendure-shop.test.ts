import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWithChromium } from "../_chromium.ts";
import { root } from "../_cli.ts";
import { findFreePort, startCommand, type RunningCommand } from "../_command.ts";
import { holdRequest } from "../_late-answer.ts";
import { testSecret } from "../_setup.ts";
import { ada } from "./_vendure.ts";

/** Set it to replace the screenshots in the docs. */
const { UPDATE_SCREENSHOTS } = process.env;

let origin: string;
let example: RunningCommand;

beforeAll(async () => {
  const [port, vendurePort] = [await findFreePort(), await findFreePort()];
  origin = `http://127.0.0.1:${port}`;
  const env = {
    PORT: String(port),
    VENDURE_PORT: String(vendurePort),
    STOREFRONT_SESSION_SECRET: testSecret,
  };
  const cwd = join(root, "examples/vendure-shop");
  example = await startCommand("npm start", { cwd, env }, (output) => output.includes("Local:"));
});
afterAll(() => example.stop());

describeWithChromium("examples/vendure-shop", [], (open) => {
  test("sells to a guest, with a coupon and an address", async () => {
    const page = await openShop(await open());
    await save(page, "products");
    await page.getByRole("button", { name: "Kitchen" }).click();
    await page.getByRole("link", { name: "Enamel mug" }).click();
    await click(page, "rust");
    await page.getByText("Only a few left").waitFor();
    await save(page, "product");
    for (const pieces of [1, 2]) {
      await click(page, "Add to basket");
      await expectPieces(page, pieces);
    }
    await click(page, "Add to basket");
    await page.getByText("no more of these are in stock").waitFor();
    await addKettle(page, 3);

    await page.getByRole("link", { name: /^Basket/ }).click();
    await click(page, "One Enamel mug rust less");
    await expectPieces(page, 2);
    await page.getByLabel("Coupon code").fill("NOPE");
    await click(page, "Apply");
    await page.getByText('Coupon code "NOPE" is not valid').waitFor();
    await page.getByLabel("Coupon code").fill("TEN");
    await click(page, "Apply");
    await expectTotal(page, "€66.51");
    await save(page, "basket");

    const release = await holdRequest(page, "/setShippingMethod");
    await page.getByRole("link", { name: "Check out" }).click();
    await page.getByLabel("Email").fill("grace@example.com");
    await page.getByLabel("First name").fill("Grace");
    await page.getByLabel("Last name").fill("Hopper");
    await fillAddress(page);
    await page.getByLabel("Express").check();
    await release();
    await expectTotal(page, "€79.41");
    expect(await page.getByLabel("Express").isChecked()).toBe(true);
    await save(page, "checkout");
    await click(page, "Pay €79.41");
    await page.getByRole("heading", { name: "Thank you!" }).waitFor();
    await page.getByText("on its way to Hamburg").waitFor();
    await expectPieces(page, 0);
  });

  test("finds the paid order after the response to its payment was lost", async () => {
    const page = await openCheckout(await open());
    const addresses: string[] = [];
    page.on("request", (request) => {
      if (request.url().endsWith("/setShippingAddress")) addresses.push(request.url());
    });
    // The client sends the payment three times.
    await page.route(
      "**/pay",
      async (route) => {
        await route.fetch();
        await route.abort();
      },
      { times: 3 },
    );
    await page.getByRole("button", { name: /^Pay/ }).click();
    await page.getByText("The shop can't be reached").waitFor();
    await page.getByRole("button", { name: /^Pay/ }).click();
    await page.getByRole("heading", { name: "Thank you!" }).waitFor();
    expect(addresses).toHaveLength(1);
  });

  test("shows the paid order although the basket can't be read after the payment", async () => {
    const page = await openCheckout(await open());
    await page.route(
      "**/pay",
      async (route) => {
        await page.route("**/getBasket", (read) => read.abort(), { times: 1 });
        await route.continue();
      },
      { times: 1 },
    );
    await page.getByRole("button", { name: /^Pay/ }).click();
    await page.getByRole("heading", { name: "Thank you!" }).waitFor();
  });

  test("takes the guest's basket into the account, and shows the orders", async () => {
    const page = await openShop(await open());
    await addKettle(page, 1);
    await page.getByRole("link", { name: "Log in" }).click();
    await page.getByLabel("Email").fill(ada.email);
    await page.getByLabel("Password").fill("wrong");
    await click(page, "Log in");
    await page.getByText("The email address or the password is wrong").waitFor();
    await page.getByLabel("Password").fill(ada.password);
    await click(page, "Log in");
    await page.getByRole("heading", { name: "Your basket" }).waitFor();
    await expectPieces(page, 1);
    await page.reload();
    await expectPieces(page, 1);
    expect(await page.evaluate("document.cookie")).toBe("");

    await page.getByRole("link", { name: "Check out" }).click();
    await fillAddress(page);
    await expectTotal(page, "€63.90");
    await click(page, "Pay €63.90");
    await page.getByRole("heading", { name: "Thank you!" }).waitFor();
    await page.getByRole("link", { name: "Ada" }).click();
    await page.getByText("€63.90").waitFor();
    await click(page, "Log out");
    await page.getByRole("link", { name: "Log in" }).waitFor();
  });

  test("keeps the coupon code that a visitor types while another is checked", async () => {
    const page = await openShop(await open());
    await addKettle(page, 1);
    await page.getByRole("link", { name: /^Basket/ }).click();
    const release = await holdRequest(page, "/addCouponCode");
    const code = page.getByLabel("Coupon code");
    await code.fill("TEN");
    await click(page, "Apply");
    await code.fill("TWENTY");
    await release();
    await page.getByText("Code TEN").waitFor();
    expect(await code.inputValue()).toBe("TWENTY");
  });

  test("stays on the page that a visitor opens during the login", async () => {
    const page = await openShop(await open());
    await page.getByRole("link", { name: "Log in" }).click();
    const release = await holdRequest(page, "/login");
    await page.getByLabel("Email").fill(ada.email);
    await page.getByLabel("Password").fill(ada.password);
    await click(page, "Log in");
    await page.getByRole("link", { name: "Hearth & Hill" }).click();
    await release();
    await page.getByRole("link", { name: "Ada" }).waitFor();
    expect(new URL(page.url()).hash).toBe("#/");
  });

  test("registers a customer, on a phone", async () => {
    const page = await open();
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme: "dark" });
    await openShop(page);
    await save(page, "phone");
    const width = await page.evaluate("document.documentElement.scrollWidth");
    expect(width).toBe(390);
    await page.getByRole("link", { name: "Log in" }).click();
    await click(page, "I am new here");
    await page.getByLabel("First name").fill("Katherine");
    await page.getByLabel("Last name").fill("Johnson");
    await page.getByLabel("Email").fill("katherine@example.com");
    await page.getByLabel("Password").fill("orbital mechanics 9");
    await click(page, "Create account");
    await page.getByRole("link", { name: "Katherine" }).waitFor();
  });

  test("shows other prices and other baskets in another region", async () => {
    const page = await openShop(await open());
    await addKettle(page, 1);
    await page.getByLabel("Region").selectOption({ label: "United States · USD" });
    await page.getByText("$64.90").waitFor();
    await expectPieces(page, 0);
  });
});

// --- Internal helpers ---

async function openShop(page: Page): Promise<Page> {
  await page.goto(origin);
  await page.getByRole("link", { name: "Steel bottle" }).waitFor();
  return page;
}

async function addKettle(page: Page, pieces: number): Promise<void> {
  await page.goto(`${origin}/#/product/pour-over-kettle`);
  await page.getByRole("heading", { name: "Pour-over kettle" }).waitFor();
  await click(page, "Add to basket");
  await expectPieces(page, pieces);
}

/** Opens the checkout of a guest with one item, and fills it in. */
async function openCheckout(opened: Page): Promise<Page> {
  const page = await openShop(opened);
  await addKettle(page, 1);
  await page.getByRole("link", { name: /^Basket/ }).click();
  await page.getByRole("link", { name: "Check out" }).click();
  await page.getByLabel("Email").fill("grace@example.com");
  await page.getByLabel("First name").fill("Grace");
  await page.getByLabel("Last name").fill("Hopper");
  await fillAddress(page);
  // Until then, the page has no payment method.
  await page.getByLabel("Express").waitFor();
  return page;
}

async function fillAddress(page: Page): Promise<void> {
  await page.getByLabel("Street").fill("Deichstraße 1");
  await page.getByLabel("Postal code").fill("20459");
  await page.getByLabel("City").fill("Hamburg");
}

async function click(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
}

async function expectPieces(page: Page, count: number): Promise<void> {
  const output = page.getByLabel("Pieces in the basket");
  await output.filter({ hasText: new RegExp(`^${count}$`) }).waitFor();
}

async function expectTotal(page: Page, total: string): Promise<void> {
  await page.getByTestId("total").filter({ hasText: total }).waitFor();
}

async function save(page: Page, name: string): Promise<void> {
  if (!UPDATE_SCREENSHOTS) return;
  if (page.viewportSize()?.width !== 390) await page.setViewportSize({ width: 1200, height: 800 });
  await page.evaluate("scrollTo(0, 0)");
  await page.screenshot({ path: join(root, `docs/images/shop-${name}.png`) });
}
