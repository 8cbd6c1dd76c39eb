import type { ServerRequest } from "srvx";
import type { RpcMethods } from "../rpc/method.ts";
import { RpcError } from "../rpc/error.ts";
import type { StorefrontOptions } from "./config/options.ts";
import { isDecodable, isStorefrontPath, pathOf } from "./url-path.ts";

/** The error for a path without a route. Its detail names the cause if the path looks like that of a call. */
export function unknownPath(
  request: ServerRequest,
  options: StorefrontOptions,
  methods: RpcMethods,
): RpcError {
  return misplacedPath(request, options, methods) ?? plain(pathOf(request.url));
}

/** The error for a path below `rpc` that isn't the path of a method. */
export function unknownCallPath({ url }: ServerRequest, { basePath }: StorefrontOptions): RpcError {
  const path = pathOf(url);
  const error = plain(path);
  if (error.code !== "unknown_path") return error;
  return withDetail(
    `The path ${quote(path)} is not the path of a call, which is ${quote(`${basePath}/rpc/<method>`)} without a slash at the end. If a framework adds the slash (trailingSlash), turn that off for calls: see docs/mounting.md`,
  );
}

/**
 * The error for a path that looks like that of a call or of a health check, but begins with something else: a framework
 * mounts the storefront at a wrong prefix.
 * @returns `undefined` for any other path, which can be one of the framework
 */
export function misplacedPath(
  request: ServerRequest,
  options: StorefrontOptions,
  methods: RpcMethods,
): RpcError | undefined {
  const { basePath } = options;
  const path = pathOf(request.url);
  // Express, Connect, and h3 1 keep the URL as it came.
  const node = request.runtime?.node?.req as { readonly originalUrl?: unknown } | undefined;
  const original = typeof node?.originalUrl === "string" ? pathOf(node.originalUrl) : path;
  if (original !== path && isStorefrontPath({ options }, original)) {
    return withDetail(
      `The framework has removed the start of the path ${quote(original)}, so the storefront gets ${quote(path)}. Mount the storefront without a prefix, because basePath (${quote(basePath)}) already begins with it: see docs/mounting.md`,
    );
  }
  if (/\/(?:healthz|readyz)$/.test(path)) {
    return withDetail(
      `The path ${quote(path)} is not that of a health check, which is "/healthz" or "/readyz". If a framework mounts the storefront at a prefix, it must remove the prefix from the URL: see docs/mounting.md`,
    );
  }
  if (!isLikeOwn(path, request.method, options, methods)) return undefined;
  return withDetail(
    `The path ${quote(path)} is not below basePath, which is ${quote(basePath)}. If a framework mounts the storefront at a prefix, it must remove the prefix from the URL, or basePath must begin with it: see docs/mounting.md`,
  );
}

// --- Internal helpers ---

/** Whether a path would be the storefront's with another prefix. A page can share a method's name, but gets no POST. */
function isLikeOwn(
  path: string,
  verb: string,
  { basePath, openApi }: StorefrontOptions,
  methods: RpcMethods,
): boolean {
  if (/\/rpc(?:\/|$)/i.test(path) || path.includes(`${basePath}/admin/`)) return true;
  if (openApi && path.endsWith("/openapi.json")) return true;
  const last = path.replace(/\/$/, "").replace(/^.*\//s, "");
  return verb === "POST" && Object.hasOwn(methods, last);
}

function plain(path: string): RpcError {
  return new RpcError(isDecodable(path) ? "unknown_path" : "malformed_request");
}

function withDetail(detail: string): RpcError {
  return new RpcError("unknown_path", { detail });
}

function quote(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}
