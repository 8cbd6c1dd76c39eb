import type { Clock } from "../../storage/clock.ts";
import { addListKey, findListKey } from "../idempotency/list-keys.ts";
import type { RequestKey } from "../idempotency/request-key.ts";
import type { ListDocument } from "./list-document.ts";

/**
 * Makes a rule that changes a list once for each idempotency key. It stores the key with the change, in one write. If
 * the list has the key already, it stays as it is.
 * @returns a rule that throws RpcError `idempotency_key_reused`, and the errors of `rule`
 */
export function applyOnce<List extends ListDocument>(
  rule: (current: List) => List,
  key: RequestKey,
  clock: Clock,
): (current: List) => List {
  const id = key.nextChange();
  return (current) => {
    const now = clock.now();
    const stored = findListKey(current.keys, id, now);
    if (stored !== undefined) {
      key.assertSame(stored);
      return current;
    }
    // Also if the rule changes nothing: a late repetition must not change a later list.
    const next = rule(current);
    const { fingerprint } = key;
    const keys = addListKey(current.keys, { id, fingerprint, ...revisionOf(next) }, now);
    return { ...next, keys };
  };
}

// --- Internal helpers ---

function revisionOf(list: object): { readonly revision?: number } {
  const { revision } = list as { readonly revision?: number };
  return revision === undefined ? {} : { revision };
}
