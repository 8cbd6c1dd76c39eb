import type { Clock } from "../../storage/clock.ts";
import type { Snapshot } from "../../storage/documents/documents.ts";
import type { ListKind } from "../../storage/sessions/list-kind.ts";
import type { ListDocument } from "../lists/list-document.ts";
import { RpcError } from "../error.ts";
import { toKeyId, type Fingerprints, type RepeatableRequest } from "./fingerprints.ts";
import { addUsedKey, findUsedKey } from "./list-keys.ts";

/** The `Idempotency-Key` of one call, in the form in which it is stored. */
export class RequestKey {
  readonly #text: string;
  readonly #request: RepeatableRequest;
  readonly #fingerprints: Fingerprints;
  #id: string | undefined;
  #fingerprint: string | undefined;
  #changes = 0;
  /** The lists as this call has read them, by `<kind>:<key>`: a visitor's lists can have the same key. */
  readonly snapshots = new Map<string, Snapshot<ListDocument>>();
  /** The lists that this call has changed, by the results that its method got. */
  readonly views = new WeakMap<object, ListKind>();

  constructor(text: string, request: RepeatableRequest, fingerprints: Fingerprints) {
    this.#text = text;
    this.#request = request;
    this.#fingerprints = fingerprints;
  }

  get id(): string {
    return (this.#id ??= toKeyId(this.#text));
  }

  /** The fingerprint of the method and the payload. */
  get fingerprint(): string {
    return (this.#fingerprint ??= this.#fingerprints.of(this.#request));
  }

  /** The ID of the call's next change of a list: the first one has the ID of the key. */
  nextChange(): string {
    const index = this.#changes++;
    return index === 0 ? this.id : toKeyId(`${this.#text}\n${index}`);
  }

  /**
   * Makes a rule that changes a list once for each idempotency key. It stores the key with the change, in one write. If
   * the list has the key already, it stays as it is.
   * @returns a rule that throws RpcError `idempotency_key_reused`, and the errors of `rule`
   */
  applyOnce<List extends ListDocument>(
    rule: (current: List) => List,
    clock: Clock,
  ): (current: List) => List {
    const id = this.nextChange();
    return (current) => {
      const now = clock.now();
      const used = findUsedKey(current.keys, id, now);
      if (used !== undefined) {
        this.assertSame(used);
        return current;
      }
      // Also if the rule changes nothing: a late repetition must not change a later list.
      const next = rule(current);
      const { fingerprint } = this;
      return { ...next, keys: addUsedKey(current.keys, { id, fingerprint }, now) };
    };
  }

  /** The list as this call has read it. Each snapshot serves one change. */
  takeSnapshot<List extends ListDocument>(name: string): Snapshot<List> | undefined {
    const snapshot = this.snapshots.get(name);
    this.snapshots.delete(name);
    return snapshot as Snapshot<List> | undefined;
  }

  /**
   * @param stored the fingerprint of the call that used the key first
   * @throws RpcError `idempotency_key_reused`
   */
  assertSame(stored: string): void {
    if (this.#fingerprints.match(stored, this.#request)) return;
    throw new RpcError("idempotency_key_reused", {
      detail: "Another method or another payload has used the key. Send each call with a new key",
      executed: false,
    });
  }
}
