import { BlockList, isIP, isIPv4 } from "node:net";
import type { ServerRequest } from "srvx";
import { describeError } from "../shared/log.ts";
import type { StorefrontOptions } from "./config/options.ts";
import { toRanges } from "./config/proxy-ranges.ts";

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
        return address ?? report(`returned a value that isn't an IP address (${typeof found})`);
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

/**
 * Compiles `trustProxy`: addresses, ranges in CIDR notation (RFC 4632, 3.1), and names of ranges.
 * @param proxies entries for which `isProxyRange` holds
 * @returns whether the `X-Forwarded-*` headers of a peer are trusted; its address is `undefined` for a Unix socket
 */
export function createProxyTrust(
  proxies: boolean | readonly string[],
): (address: string | undefined) => boolean {
  if (typeof proxies === "boolean") return () => proxies;
  const trusted = new BlockList();
  for (const [address, prefix] of proxies.flatMap(toRanges)) {
    trusted.addSubnet(address, prefix, familyOf(address));
  }
  return (text) => {
    const address = text === undefined ? undefined : toAddress(text);
    return address !== undefined && trusted.check(address, familyOf(address));
  };
}

/**
 * Reads an IP address that may have brackets, a port, or a zone, as some proxies write it in `X-Forwarded-For`.
 * @returns the address alone, IPv4 in its own form; `undefined` if there is none
 */
export function toAddress(text: string): string | undefined {
  const [, address = text] =
    /^"?\[(.+)\](?::\d*)?"?$/.exec(text) ?? /^"?((?:::ffff:)?[\d.]+)(?::\d*)?"?$/i.exec(text) ?? [];
  const plain = address.replace(/%.*$/, "").replace(/^::ffff:(?=\d+\.)/i, "");
  return isIP(plain) === 0 ? undefined : plain.toLowerCase();
}

// --- Internal helpers ---

/** Cloudflare sets the header itself on requests with the property `cf`, which no client can set. */
function findCloudflareAddress(request: ServerRequest): string | undefined {
  const isOnCloudflare = (request as { readonly cf?: unknown }).cf !== undefined;
  return isOnCloudflare ? (request.headers.get("cf-connecting-ip") ?? undefined) : undefined;
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv4(address) ? "ipv4" : "ipv6";
}
