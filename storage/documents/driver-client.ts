import type { Driver } from "unstorage";
import { describeError, type Logger } from "../../shared/log.ts";

/**
 * Logs the errors that the client below a driver reports by an `error` event, as `pg` does for a lost connection.
 * Without a listener, Node ends the process.
 */
export class DriverClient {
  readonly #driver: Driver;
  readonly #log: Logger;
  readonly #known = new WeakSet<object>();
  #isLooking = false;

  constructor(driver: Driver, log: Logger) {
    this.#driver = driver;
    this.#log = log;
  }

  /** Listens to the client, if it exists; a driver can create another one later. */
  listen(): void {
    if (this.#isLooking || this.#driver.getInstance === undefined) return;
    this.#isLooking = true;
    void this.#find().finally(() => {
      this.#isLooking = false;
    });
  }

  async #find(): Promise<void> {
    try {
      const instance: unknown = await this.#driver.getInstance?.();
      this.#add(instance);
      // In db0, the driver has a database, and the database has the client.
      if (hasInstance(instance)) this.#add(await instance.getInstance());
    } catch {
      // If the client can't be created, the operation that needs it fails and reports this.
    }
  }

  #add(client: unknown): void {
    if (!isEmitter(client) || this.#known.has(client)) return;
    this.#known.add(client);
    client.on("error", (error) => {
      const driver = this.#driver.name ?? "custom";
      this.#log.error("The client of a storage failed", { driver, error: describeError(error) });
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
