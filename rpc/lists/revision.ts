import { RpcError } from "../error.ts";

/**
 * Reads the header `If-Match` (RFC 9110, 13.1.1): revisions of the basket as entity tags, for example `"3"`, or `*`.
 * @returns whether the call may change a basket with a revision; `undefined`: in any case
 * @throws RpcError `malformed_request`
 */
export function readIfMatch(headers: Headers): ((revision: number) => boolean) | undefined {
  const text = headers.get("if-match");
  if (text === null || text === "*") return undefined;
  if (text.length > maxLength || !entityTags.test(text)) {
    throw new RpcError("malformed_request", {
      detail:
        'The header If-Match is not valid. Expected the basket\'s revision in quotation marks, for example "3", or *',
    });
  }
  // A weak tag never matches.
  const tags = text.split(",").map((tag) => tag.trim());
  return (revision) => tags.includes(`"${revision}"`);
}

/**
 * Checks the revision of a basket before a change.
 * @param isExpected the condition of the header `If-Match`
 * @param expected the revision that the payload names
 * @param view the basket, for a client whose change is rejected
 * @throws RpcError `basket_changed` with the basket in its `data`
 */
export function assertRevision(
  isExpected: ((revision: number) => boolean) | undefined,
  expected: number | undefined,
  revision: number,
  view: () => { readonly basket: object },
): void {
  if ((expected ?? revision) === revision && isExpected?.(revision) !== false) return;
  throw new RpcError("basket_changed", {
    detail: `The basket has revision ${revision}. Its content is in "data"; repeat the change if it is still wanted`,
    data: view(),
    executed: false,
  });
}

// --- Internal helpers ---

const maxLength = 1024;

const entityTags = /^(?:W\/)?"[^",]*"(?:[ 	]*,[ 	]*(?:W\/)?"[^",]*")*$/;
