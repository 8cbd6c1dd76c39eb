import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { problems } from "../../rpc/error.ts";
import { toErrorPage } from "../../server/problem-type.ts";
import { listFiles, readLinks, readPages, site } from "./_pages.ts";

const pages = readPages();

test("the build prints no warning", () => {
  const output = inject("buildOutput");
  expect(output).toContain("build complete");
  expect(output).not.toMatch(/warn|\(!\)|error/i);
});

test("each link leads to a page and a heading that exist", () => {
  const anchors = new Map(pages.map(({ path, html }) => [path, readIds(html)]));
  const broken = pages.flatMap((page) =>
    readLinks(page)
      .filter(({ host }) => host === "site")
      .filter(({ pathname, hash }) => {
        const file = decodeURI(pathname)
          .replace(/^\//, "")
          .replace(/(^|\/)$/, "$1index.html");
        if (!existsSync(join(site, file))) return true;
        return hash !== "" && !anchors.get(file)?.has(decodeURIComponent(hash.slice(1)));
      })
      .map(({ pathname, hash }) => `${page.path} → ${pathname}${hash}`),
  );
  expect(broken).toEqual([]);
});

test("links to other hosts use HTTPS, except local addresses in examples", () => {
  const links = pages.flatMap(readLinks).filter(({ host }) => host !== "site");
  const plain = links.filter(
    ({ protocol, hostname }) =>
      protocol !== "https:" && !["localhost", "127.0.0.1"].includes(hostname),
  );
  expect(plain.map(String)).toEqual([]);
});

test("each page loads scripts, styles, and images from the site only", () => {
  const foreign = pages.flatMap(({ path }) => {
    const html = readFileSync(join(site, path), "utf8");
    const sources = html.matchAll(/<(?:script|img|link|iframe)\b[^>]*?(?:src|href)="(\w+:[^"]*)"/g);
    return [...sources].map(([, source]) => `${path}: ${source}`);
  });
  expect(foreign).toEqual([]);
});

test("each page is also a Markdown file, and llms.txt lists it", () => {
  const list = readFileSync(join(site, "llms.txt"), "utf8");
  const listed = [...list.matchAll(/\]\(([^)]+)\)/g)].map(([, link = ""]) => link);
  const expected = pages
    .map(({ path }) => path.replace(/\.html$/, ".md"))
    .filter((path) => path !== "404.md");
  expect(listed.toSorted()).toEqual(expected.toSorted());
  expect(listFiles(".md")).toEqual(expected.toSorted());
});

test("each page has one title of its own", () => {
  const titles = pages.map(({ html }) => /<title>([^<]*)<\/title>/.exec(html)?.[1] ?? "");
  expect(titles.filter((title, index) => title === "" || titles.indexOf(title) !== index)).toEqual(
    [],
  );
});

test("each error code has the page that the type of a problem leads to", () => {
  const paths = pages.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(Object.keys(problems).map((code) => `errors/${toErrorPage(code)}`)),
  );
});

function readIds(html: string): ReadonlySet<string> {
  return new Set([...html.matchAll(/ id="([^"]*)"/g)].map(([, id = ""]) => id));
}
