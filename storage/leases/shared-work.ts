/** Lets parallel callers of this process share one run of the same work, and its result or error. */
export class SharedWork<T> {
  readonly #running = new Map<string, Promise<T>>();

  /** Runs the work, unless it is running under this name. */
  run(name: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(name);
    if (running !== undefined) return running;
    const started = work().finally(() => this.#running.delete(name));
    this.#running.set(name, started);
    return started;
  }
}

/** Waits for a result until the signal aborts. The work itself continues. @throws the reason of the signal */
export function waitFor<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason as Error);
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    work.finally(() => signal.removeEventListener("abort", giveUp)).then(resolve, reject);
  });
}
