import type { Page, Route } from "playwright-core";

/**
 * Holds the next request of a page to a path, so that its answer comes later than those of later requests.
 * @returns a function that sends the request, and waits until the answer has arrived and the page has drawn a frame
 */
export async function holdRequest(page: Page, path: string): Promise<() => Promise<void>> {
  let hold: (route: Route) => void;
  const held = new Promise<Route>((resolve) => (hold = resolve));
  await page.route(`**${path}`, (route) => hold(route), { times: 1 });
  return async () => {
    const route = await held;
    await route.continue();
    await (await route.request().response())?.finished();
    await page.evaluate("new Promise(requestAnimationFrame)");
  };
}
