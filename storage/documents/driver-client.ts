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
      const instance: unknown = await driver.getInstance?.();
      add(instance);
      // In db0, the driver has a database, and the database has the client.
      if (hasInstance(instance)) add(await instance.getInstance());
    } catch {
      // If the client can't be created, the operation that needs it fails and reports this.
    }
  }

  function add(client: unknown): void {
    if (!isEmitter(client) || known.has(client)) return;
    known.add(client);
    client.on("error", (error) => {
      const details = { driver: driver.name ?? "custom", error: describeError(error) };
      log.error("The client of a storage failed", details);
    });
  }
}

// --- Internal helpers ---

function hasInstance(value: unknown): value is { getInstance(): unknown } {
  return isObject(value) && typeof value["getInstance"] === "function";
}

function isEmitter(value: unknown): value is {
  on(event: "error", listener: (error: unknown) => void): unknown;
} {
  return (
    isObject(value) && typeof value["on"] === "function" && typeof value["emit"] === "function"
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
