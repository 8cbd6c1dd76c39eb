import { setTimeout } from "node:timers";
import type { DocumentStore } from "../storage/documents.ts";

/**
 * Makes a function that tries what calls need of the storages, once a second at most for all callers: however
 * often `/readyz` is called, the storages do little for it.
 *
 * @returns a function that throws StorageUnavailableError
 */
export function createReadiness(stores: readonly DocumentStore[]): () => Promise<void> {
  let known: Promise<void> | undefined;
  const forgetLater = () => void setTimeout(() => (known = undefined), validity).unref();
  return function check() {
    if (known !== undefined) return known;
    known = Promise.all(stores.map((store) => store.ping())).then(() => {});
    known.then(forgetLater, forgetLater);
    return known;
  };
}

// --- Internal helpers ---

/** Milliseconds. */
const validity = 1000;
