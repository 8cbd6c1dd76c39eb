import { readFileSync } from "node:fs";
import { escapeMarkdown, type CodePage } from "./code-page.ts";
import { importSource } from "./sources.ts";

const { problems } = await importSource<typeof import("../../dist/rpc/error.js")>("rpc/error.ts");
const { toErrorPage } =
  await importSource<typeof import("../../dist/server/problem-type.js")>("server/problem-type.ts");

/** A page for each error code, from the table of `docs/errors.md`. */
export function createErrorPages(): readonly CodePage[] {
  const text = readFileSync(new URL("../errors.md", import.meta.url), "utf8");
  const rows = text.matchAll(/^\| \d+ \| `(\w+)` \| (.+) \| (.+) \|$/gm);
  return [...rows].map(([, code = "", cause = "", remedy = ""]) => {
    const [status, title] = problems[code as keyof typeof problems];
    const example = JSON.stringify({ type: "about:blank", title, status, code }, undefined, 2);
    const page = `# \`${code}\`: ${escapeMarkdown(title)}

The response has the status ${status}, and this body. It can have [more properties](../errors.md).

\`\`\`json
${example}
\`\`\`

**Cause:** ${fromFolder(cause)}

**What to do:** ${fromFolder(remedy)}

[All error codes](../errors.md#codes)
`;
    return {
      code,
      path: `errors/${toErrorPage(code).replace(/html$/, "md")}`,
      title: `${code}: ${title}`,
      text: page,
    };
  });
}

// --- Internal helpers ---

/** Makes the links of a document in `docs/` fit a page in a folder below. */
function fromFolder(text: string): string {
  return text.replaceAll(/\]\((?!https?:)/g, "](../");
}
