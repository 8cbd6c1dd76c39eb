import type { EventEmitter } from "node:events";
import type { Driver } from "unstorage";
import { describeError, type Logger } from "../../shared/log.ts";

/**
 * Logs the errors that the client below a driver reports with an `error` event, as `pg` does for a lost connection.
 * Without a listener, Node ends the process.
 * @returns a function that looks for the client: a driver can create it later, and replace it
 */
export function createClientListener(driver: Driver, log: Logger): () => void {
  const known = new WeakSet<object>();
  let isLooking = false;
  return function listen() {
    if (isLooking || driver.getInstance === undefined) return;
    isLooking = true;
    void find().finally(() => {
      isLooking = false;
    });
  };

  async function find(): Promise<void> {
    try {
      const instance = (await driver.getInstance?.()) as Pick<Driver, "getInstance"> | undefined;
      add(instance);
      // In db0, the driver has a database, and the database has the client.
      add(await instance?.getInstance?.());
    } catch {
      // If the client can't be created, the operation that needs it fails and reports this.
    }
  }

  function add(client: unknown): void {
    const emitter = (client ?? {}) as EventEmitter;
    if (typeof emitter.on !== "function" || typeof emitter.emit !== "function") return;
    if (known.has(emitter)) return;
    known.add(emitter);
    emitter.on("error", (error: unknown) => {
      const details = { driver: driver.name ?? "custom", error: describeError(error) };
      log.error("The client of a storage failed", details);
    });
  }
}
