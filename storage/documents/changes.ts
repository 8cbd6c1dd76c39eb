import type { Snapshot } from "./documents.ts";

/** Called with the changed key and, if known, its new snapshot. Without a key, any document may have changed. */
export type ChangeListener = (path?: string, current?: Snapshot<unknown>) => void;

/** The changes of documents below a prefix, by this process and by others. */
export interface ChangeFeed {
  /**
   * Whether every change arrives. While it is not up, earlier reads can be out of date. When it is up again, listeners
   * are called without a path.
   */
  isUp(): boolean;
  listen(listener: ChangeListener): void;
  close(): void;
}

/** Calls the listeners of one store, by prefix. */
export class ChangeEmitter {
  readonly #listeners = new Map<string, Set<ChangeListener>>();
  readonly #hasOthers: boolean;

  /** @param hasOthers whether other code can change the storage, too */
  constructor({ hasOthers }: { readonly hasOthers: boolean }) {
    this.#hasOthers = hasOthers;
  }

  listen(prefix: string, listener: ChangeListener): () => void {
    const listeners = this.#listeners.get(prefix) ?? new Set();
    this.#listeners.set(prefix, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** Calls the listeners of a prefix. Without a path, any document below it may have changed. */
  emit(prefix: string, path?: string, current?: Snapshot<unknown>): void {
    for (const listener of this.#listeners.get(prefix) ?? []) listener(path, current);
  }

  /**
   * Calls the listeners of a document that this process has changed.
   * @param written its new snapshot
   */
  emitOwn(path: string, written?: Snapshot<unknown>): void {
    // A later change by another process may have arrived before the reply to ours.
    const current = this.#hasOthers ? undefined : written;
    for (const prefix of this.#listeners.keys()) {
      if (path.startsWith(prefix)) this.emit(prefix, path, current);
    }
  }
}
