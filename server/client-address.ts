import type { ServerRequest } from "srvx";
import { describeError } from "../shared/log.ts";
import type { StorefrontOptions } from "./config/options.ts";
import { toAddress } from "./trusted-proxies.ts";

/**
 * Creates the functions that find the IP address of a request's peer: the client, or the proxy nearest to this server.
 * An error of `clientAddress` is logged once.
 */
export function createPeerLookup({ clientAddress, log }: StorefrontOptions) {
  let isReported = false;

  function report(reason: string): undefined {
    if (isReported) return undefined;
    isReported = true;
    log.error(`clientAddress ${reason}, so calls can lack an IP address: see docs/mounting.md`);
  }

  return {
    /** The address that the host names by `clientAddress`. */
    named(request: ServerRequest): string | undefined {
      if (clientAddress === undefined) return undefined;
      try {
        const found: unknown = clientAddress(request);
        if (found === undefined || found === null) return undefined;
        const address = typeof found === "string" ? toAddress(found) : undefined;
        return address ?? report(`returned a value that is no IP address (${typeof found})`);
      } catch (error) {
        return report(`failed (${describeError(error)})`);
      }
    },
    /** The address of the connection. A server around the storefront can set `request.ip` to another one. */
    connected(request: ServerRequest): string | undefined {
      const socket = request.runtime?.node?.req.socket;
      const found: unknown = socket?.remoteAddress ?? request.ip ?? findCloudflareAddress(request);
      return typeof found === "string" ? found : undefined;
    },
  };
}

// --- Internal helpers ---

/** Cloudflare sets the header itself on requests with the property `cf`, which no client can set. */
function findCloudflareAddress(request: ServerRequest): string | undefined {
  const isOnCloudflare = (request as { readonly cf?: unknown }).cf !== undefined;
  return isOnCloudflare ? (request.headers.get("cf-connecting-ip") ?? undefined) : undefined;
}
