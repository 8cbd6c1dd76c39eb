import { devPagePath } from "../own-paths.ts";
import type { PlainRoute } from "../router.ts";
import { createAccess } from "./access.ts";
import type { DevPageSource } from "./dev-page.ts";

/**
 * Creates the routes of the development page. Each request is checked first. The code for the page is loaded by the first
 * request that passes.
 */
export function createDevPage(source: DevPageSource): PlainRoute[] {
  const access = createAccess(source.options);
  let page: Promise<PlainRoute["answer"]> | undefined;
  const answer: PlainRoute["answer"] = async (event) => {
    access.assertLocal(event);
    access.assertToken(event);
    page ??= import("./dev-page.ts").then(({ openDevPage }) => openDevPage(source));
    return (await page)(event);
  };
  return [devPagePath, `${devPagePath}/**`].map((path) => ({ path, answer }));
}
