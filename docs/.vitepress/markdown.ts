import type { MarkdownOptions, MarkdownRenderer } from "vitepress";

type Token = ReturnType<MarkdownRenderer["parse"]>[number];

/** Makes anchors as GitHub does, so that links of the documents work in both places. */
export function toAnchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
}

/** How the site reads Markdown. */
export const markdown: MarkdownOptions = {
  anchor: { slugify: toAnchor },
  headers: { slugify: toAnchor },
  toc: { slugify: toAnchor },
  // Their colors have enough contrast for every reader.
  theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
  config(md) {
    // A screen reader can't read an empty heading, so the corner of a table is an ordinary cell.
    md.core.ruler.push("table-corner", ({ tokens }) => {
      for (const [index, { type, content }] of tokens.entries()) {
        const [before, after] = [tokens[index - 1], tokens[index + 1]];
        if (type !== "inline" || content !== "" || before?.type !== "th_open" || !after) continue;
        before.tag = "td";
        after.tag = "td";
      }
    });
    const { fence } = md.renderer.rules;
    // The name of the file that a block of code belongs to.
    md.renderer.rules.fence = (tokens, index, ...rest) => {
      const token = tokens[index] as Token;
      const [, name] = /^\w+ (.+)/.exec(token.info) ?? [];
      // The highlighter has no grammar for Caddy's files; those of nginx are similar.
      token.info = token.info.replace(/^caddyfile/, "nginx");
      const block = fence?.(tokens, index, ...rest) ?? "";
      if (name === undefined) return block;
      return `<p class="file-name">${md.utils.escapeHtml(name)}</p>${block}`;
    };
  },
};
