import type { Page, Route } from "playwright-core";

/**
 * Holds the next request of a page to a path, so that its answer comes later than those of later requests.
 * @returns a function that sends the request, and waits until the page has shown the answer
 */
export function holdRequest(page: Page, path: string): () => Promise<void> {
  const held = new Promise<Route>((resolve) => {
    void page.route(`**${path}`, resolve, { times: 1 });
  });
  return async () => {
    const route = await held;
    await route.continue();
    await (await route.request().response())?.finished();
    await page.evaluate("new Promise(requestAnimationFrame)");
  };
}
