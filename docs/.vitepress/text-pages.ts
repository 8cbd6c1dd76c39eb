import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Page } from "./pages.ts";

/** Adds each page as Markdown to the site, and `llms.txt`, the list of them (https://llmstxt.org). */
export function writeTextPages(
  pages: readonly Page[],
  summary: string,
  folders: { readonly from: string; readonly to: string },
): void {
  for (const { path } of pages) {
    const target = join(folders.to, path);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(folders.from, path), target);
  }
  const lines = pages.map(({ path, title }) => `- [${title}](${path})`);
  const text = `# Storefront Core\n\n> ${summary}\n\n## Pages\n\n${lines.join("\n")}\n`;
  writeFileSync(join(folders.to, "llms.txt"), text);
}
