/**
 * Response headers that only the server sends: those of one connection (RFC 9110, 7.6.1), of the encoded body, of CORS,
 * and the mark of a method's own `Response`.
 */
export const serverHeaders =
  /^(?:access-control-.*|connection|content-encoding|content-length|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|storefront-response)$/;

/** See {@link BaseRpcContext.setHeader}. */
export function setResponseHeader(
  holder: { responseHeaders?: Headers | undefined },
  name: string,
  value: string,
): void {
  const lowerCase = name.toLowerCase();
  if (serverHeaders.test(lowerCase) || lowerCase === "content-type") {
    throw new TypeError(
      `setHeader: received "${name}", which only the server sets. Remove it. For another content type, return a Response`,
    );
  }
  holder.responseHeaders ??= new Headers();
  if (lowerCase === "set-cookie") holder.responseHeaders.append(name, value);
  else holder.responseHeaders.set(name, value);
}
