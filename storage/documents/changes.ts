import type { Snapshot } from "./documents.ts";

/** Is told which document changed, and what it is now where that is sure; without a path, that any may have. */
export type ChangeListener = (path?: string, current?: Snapshot<unknown>) => void;

/** Tells of changes to the documents below a prefix, whoever made them. */
export interface ChangeFeed {
  /**
   * Whether no change goes by unnoticed. While it is not, what was read before may be out of date;
   * when it comes up again, listeners are told that any document may have changed.
   */
  isUp(): boolean;
  listen(listener: ChangeListener): void;
  close(): void;
}

/** Who listens to the changes of one store, by prefix. */
export class ChangeEmitter {
  readonly #listeners = new Map<string, Set<ChangeListener>>();
  readonly #hasOthers: boolean;

  /** @param hasOthers whether other processes may change the storage, too */
  constructor({ hasOthers }: { readonly hasOthers: boolean }) {
    this.#hasOthers = hasOthers;
  }

  listen(prefix: string, listener: ChangeListener): () => void {
    const listeners = this.#listeners.get(prefix) ?? new Set();
    this.#listeners.set(prefix, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** Tells who listens of one document, or of all below their prefix. */
  emit(prefix: string, path?: string, current?: Snapshot<unknown>): void {
    for (const listener of this.#listeners.get(prefix) ?? []) listener(path, current);
  }

  /**
   * Tells of a document that this process has changed.
   * @param written what it is since then
   */
  emitOwn(path: string, written?: Snapshot<unknown>): void {
    // Another process's change may have come since, and have been told before we knew of our own.
    const current = this.#hasOthers ? undefined : written;
    for (const prefix of this.#listeners.keys()) {
      if (path.startsWith(prefix)) this.emit(prefix, path, current);
    }
  }
}
