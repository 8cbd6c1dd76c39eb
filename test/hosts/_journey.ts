import type { Page } from "playwright-core";
import { expect } from "vitest";

/** Adds the first item to a guest's basket. While the call runs, a second click must not start another call. */
export async function addItem(page: Page): Promise<void> {
  const button = page.getByRole("button", { name: "Add", exact: true });
  const isOff: boolean[] = [];
  await page.route("**/api/rpc/addItemToBasket", async (route) => {
    isOff.push(await button.isDisabled());
    await route.continue();
  });
  await button.click();
  await page.getByText("1 items in the basket").waitFor();
  expect(isOff).toEqual([true]);
}

/** Registers the guest of an example's page, reloads the page, and logs out. @param items in the guest's basket */
export async function registerAndLogOut(
  page: Page,
  { items, isSecure }: { readonly items: number; readonly isSecure: boolean },
): Promise<void> {
  const heading = (name: string) => page.getByRole("heading", { name }).waitFor();
  await page.getByRole("button", { name: "Register" }).click();
  await heading("Hello, Ada!");
  await page.reload();
  await heading("Hello, Ada!");
  await page.getByText(`${items} items in the basket`).waitFor();
  expect(await page.context().cookies()).toMatchObject([
    { name: "$session-1001", secure: isSecure, httpOnly: true },
  ]);
  await page.getByRole("button", { name: "Log out" }).click();
  await heading("Hello, guest!");
  await page.getByText("0 items in the basket").waitFor();
}
