import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, extname } from "node:path";
import { dirname, join } from "node:path/posix";
import { fileURLToPath } from "node:url";
import { isApiPage, listApiPages, nameEntries, toApiPath } from "./api-pages.ts";
import { createErrorPages } from "./error-pages.ts";
import { createFindingPages } from "./finding-pages.ts";
import { linkCodes, rewriteLinks, type RepositoryFile } from "./links.ts";

/** A page of the site. */
export interface Page {
  /** For example `examples/nuxt/index.md`. */
  readonly path: string;
  readonly title: string;
  readonly text: string;
}

/** The folder with the pages as VitePress reads them. */
export const pagesFolder = fileURLToPath(new URL("pages", import.meta.url));

/**
 * Writes all pages of the site to {@link pagesFolder}: the documents of the repository, the files that they link to, and
 * a page per code.
 */
export function writePages(): readonly Page[] {
  rmSync(pagesFolder, { recursive: true, force: true });
  const images = new Set<RepositoryFile>();
  const pages = collectPages((image) => images.add(image));
  for (const { path, text } of pages) write(path, text);
  for (const image of images) {
    const target = join(pagesFolder, toSite(image));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(root, image), target);
  }
  return pages;
}

// --- Internal helpers ---

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Documents outside `docs/` whose pages have other names. */
const renamed: Readonly<Record<RepositoryFile, string>> = {
  "README.md": "overview.md",
  "CONTRIBUTING.md": "contributing.md",
  "CHANGELOG.md": "changelog.md",
};

/** Follows the links of the documents, because files that are not documents can be pages, too. */
function collectPages(addImage: (image: RepositoryFile) => void): readonly Page[] {
  const codePages = [...createErrorPages(), ...createFindingPages()];
  const pageOf = new Map(codePages.map(({ code, path }) => [code, path]));
  const pages: Page[] = [];
  const open: RepositoryFile[] = listDocuments();
  const known = new Set(open);
  const follow = (link: RepositoryFile): string => {
    const readme = join(link, "README.md");
    const isFolder = statSync(join(root, link)).isDirectory();
    const file = isFolder ? (existsSync(join(root, readme)) ? readme : join(link, "/")) : link;
    if (/\.(?:png|svg)$/.test(file)) addImage(file);
    else if (!known.has(file)) {
      known.add(file);
      open.push(file);
    }
    return toSite(file);
  };
  for (let file = open.shift(); file !== undefined; file = open.shift()) {
    const path = toSite(file);
    const text = readText(file);
    const linked = isDocument(file) ? rewriteLinks(text, file, follow) : showCode(file, text);
    pages.push({ path, title: titleOf(linked), text: linkCodes(linked, path, pageOf) });
  }
  return [
    ...pages,
    ...codePages.map((page) => ({ ...page, text: linkCodes(page.text, page.path, pageOf) })),
  ];
}

function isDocument(file: RepositoryFile): boolean {
  return file.endsWith("/") || file.endsWith(".md");
}

function listDocuments(): RepositoryFile[] {
  const docs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  const examples = readdirSync(join(root, "examples"));
  return [
    ...Object.keys(renamed),
    ...docs.map((name) => `docs/${name}`),
    ...examples.map((name) => `examples/${name}/README.md`),
    ...listApiPages(),
  ].filter((file) => existsSync(join(root, file)));
}

function readText(file: RepositoryFile): string {
  if (file.endsWith("/")) return listFolder(file);
  const text = readFileSync(join(root, file), "utf8");
  return isApiPage(file) ? nameEntries(text, file) : text;
}

/** The page of a file. A file that isn't a document has a page that shows it. */
function toSite(file: RepositoryFile): string {
  const target = isApiPage(file) ? toApiPath(file) : (renamed[file] ?? file);
  const path = target.replace(/^docs\//, "").replace(/\/(?:README\.md)?$/, "/index.md");
  if (/\.(?:md|png|svg)$/.test(path)) return path;
  // VitePress ignores hidden files.
  return `${path.replace(/\/\.(?=[^/]+$)/, "/")}.md`;
}

/** A page for a folder without a document of its own. */
function listFolder(folder: RepositoryFile): string {
  const names = readdirSync(join(root, folder)).filter((name) => !/^\.|^node_modules$/.test(name));
  return `# \`${folder}\`\n\n${names.map((name) => `- [${name}](${name})`).join("\n")}\n`;
}

/** Languages of files whose names have no ending. */
const languages: Readonly<Record<string, string>> = {
  ".dockerignore": "txt",
  Caddyfile: "caddyfile",
  Dockerfile: "docker",
  LICENSE: "txt",
};

/** A page with a file's text. */
function showCode(file: RepositoryFile, text: string): string {
  const name = `# \`${file}\`\n\n`;
  const language = languages[basename(file)] ?? extname(file).slice(1);
  return `${name}\`\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\`\n`;
}

function titleOf(text: string): string {
  return (/^# (.+)$/m.exec(text)?.[1] ?? "").replaceAll("`", "");
}

function write(path: string, text: string): void {
  const target = join(pagesFolder, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
}
