import { readFile } from "node:fs/promises";
import { RpcError } from "../../rpc/error.ts";
import { findPackageFolder } from "../config/package-folder.ts";

/** The files of the page, by their paths below `/_storefront`. */
const types: Readonly<Record<string, string>> = {
  "": "text/html; charset=utf-8",
  "page.css": "text/css; charset=utf-8",
  ...Object.fromEntries(
    ["page", "api", "dom", "form", "method", "calls", "visitor"].map((name) => [
      `${name}.js`,
      "text/javascript; charset=utf-8",
    ]),
  ),
};

/** The headers of every response: scripts and data come only from this server, and no other site can embed the page. */
export const pageHeaders: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
};

/**
 * Responds with a file of the page.
 * @param name its path below `/_storefront`; empty for the page itself
 * @throws RpcError `unknown_path`
 */
export async function respondWithFile(name: string): Promise<Response> {
  const type = Object.hasOwn(types, name) ? types[name] : undefined;
  if (type === undefined) throw new RpcError("unknown_path");
  const text = await readPageFile(name === "" ? "page.html" : name);
  return new Response(text, {
    statusText: "OK",
    headers: { ...pageHeaders, "content-type": type },
  });
}

// --- Internal helpers ---

async function readPageFile(name: string): Promise<string> {
  try {
    return await readFile(new URL(`server/dev-page/files/${name}`, findPackageFolder()), "utf8");
  } catch (cause) {
    const detail =
      "The files of the development page aren't here, because a bundler put this server into one file. Open the page with storefront dev";
    throw new RpcError("unknown_path", { detail, cause });
  }
}
