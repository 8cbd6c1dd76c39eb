import { expect, test } from "vitest";
import { pagePathOf } from "../../adapters/next-path.ts";

test("the path of a page lacks the basePath of Next.js, because its redirect adds that", () => {
  const request = new Request("https://shop.example/shop/de/basket?sort=new");
  const nextUrl = { pathname: "/de/basket", search: "?sort=new", basePath: "/shop" };
  expect(pagePathOf(Object.assign(request, { nextUrl }))).toBe("/de/basket?sort=new");
});

test("the path of a page is that of its URL without a basePath", () => {
  expect(pagePathOf(new Request("https://shop.example/de/basket?sort=new"))).toBe(
    "/de/basket?sort=new",
  );
});
