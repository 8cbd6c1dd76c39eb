import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "./pages.ts";

/**
 * Adds each page as Markdown to the site, and `llms.txt`, the list of them (https://llmstxt.org). Images come along,
 * because pages can link to them.
 */
export function writeTextPages(
  pages: readonly Page[],
  summary: string,
  folders: { readonly from: string; readonly to: string },
): void {
  cpSync(folders.from, folders.to, { recursive: true });
  const lines = pages.map(({ path, title }) => `- [${title}](${path})`);
  const text = `# Storefront Core\n\n> ${summary}\n\n## Pages\n\n${lines.join("\n")}\n`;
  writeFileSync(join(folders.to, "llms.txt"), text);
}
