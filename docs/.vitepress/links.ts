import { dirname, join, relative } from "node:path/posix";

/** A file that a document shows or links to, by its path in the repository. */
export type RepositoryFile = string;

/**
 * Rewrites the links of a document from files of the repository to files of the site. Code stays as it is.
 *
 * @param document Path of the document in the repository.
 * @param toSite Path on the site of a file or a folder of the repository.
 */
export function rewriteLinks(
  text: string,
  document: RepositoryFile,
  toSite: (file: RepositoryFile) => string,
): string {
  const folder = dirname(toSite(document));
  return mapProse(text, (prose) =>
    prose.replaceAll(
      /\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)/g,
      (_, path: string, anchor = "") => {
        const target = toSite(join(folderOf(document), decodeURI(path)));
        return `](${relative(folder, target)}${anchor})`;
      },
    ),
  );
}

/** Links each code in a text to its page. Headings, and text that is a link already, stay as they are. */
export function linkCodes(text: string, page: string, pageOf: ReadonlyMap<string, string>): string {
  return mapProse(text, (prose) =>
    prose.replaceAll(/^#.*$|(?<!\[)`(\w+)`(?!\])/gm, (found, code?: string) => {
      const target = code === undefined ? undefined : pageOf.get(code);
      if (target === undefined || target === page) return found;
      return `[\`${code}\`](${relative(dirname(page), target)})`;
    }),
  );
}

// --- Internal helpers ---

function folderOf(file: RepositoryFile): RepositoryFile {
  return file.endsWith("/") ? file : dirname(file);
}

/** Changes a document without its blocks of code. */
function mapProse(text: string, change: (prose: string) => string): string {
  const parts = text.split(/(^```[\s\S]*?^```$)/m);
  return parts.map((part, index) => (index % 2 === 0 ? change(part) : part)).join("");
}
