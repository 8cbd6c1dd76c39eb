import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the built site. */
export const site = fileURLToPath(new URL("../../docs/.vitepress/dist", import.meta.url));

/** A built page. */
export interface BuiltPage {
  /** For example `examples/nuxt/index.html`. */
  readonly path: string;
  /** Without comments and code of scripts. */
  readonly html: string;
}

/** Reads all pages of the site. */
export function readPages(): readonly BuiltPage[] {
  return listFiles(".html").map((path) => {
    const html = readFileSync(join(site, path), "utf8");
    return { path, html: html.replaceAll(/<script[\s\S]*?<\/script>|<!--[\s\S]*?-->/g, "") };
  });
}

/** The files of the site whose names end like this. */
export function listFiles(ending: string): readonly string[] {
  return readdirSync(site, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(ending))
    .toSorted();
}

/** The links of a page, as a browser resolves them. */
export function readLinks({ path, html }: BuiltPage): readonly URL[] {
  const hrefs = html.matchAll(/<a [^>]*?href="([^"]*)"/g);
  return [...hrefs].map(
    ([, href = ""]) => new URL(href.replaceAll("&amp;", "&"), `http://site/${path}`),
  );
}
