import { openDriver } from "../storage/open-driver.ts";
import type { Driver } from "unstorage";

/** What is asked of a driver. */
export interface Operation {
  readonly kind: "read" | "write" | "remove";
  readonly key: string;
}

/** A memory driver whose operations a test can count, hold up and let fail. */
export interface FaultyDriver {
  readonly driver: Driver;
  /** All that was asked so far. */
  readonly operations: Operation[];
  /** Runs before each operation: what it throws is the driver's failure, what it awaits delays it. */
  before: (operation: Operation) => unknown;
  /** Runs after each operation, whose answer is lost where this throws. */
  after: (operation: Operation) => unknown;
  /** Lets everything pass again. */
  heal(): void;
  /** What is stored, by key. */
  stored(): ReadonlyMap<string, string>;
}

/** Makes such a driver; until told otherwise, it lets everything pass. */
export function createFaultyDriver(): FaultyDriver {
  const memory = openDriver({ driver: "memory" });
  const faulty: FaultyDriver = {
    driver: {
      ...memory,
      name: "faulty",
      getItemRaw: (key) => run("read", key, () => memory.getItemRaw?.(key, {})),
      setItemRaw: (key, value) =>
        run("write", key, async () => memory.setItemRaw?.(key, value, {})),
      removeItem: (key) => run("remove", key, async () => memory.removeItem?.(key, {})),
    },
    operations: [],
    before: allow,
    after: allow,
    heal() {
      faulty.before = allow;
      faulty.after = allow;
    },
    stored: () => new Map(memory.getInstance?.() as Map<string, string>),
  };
  return faulty;

  async function run<T>(
    kind: Operation["kind"],
    key: string,
    operate: () => T | Promise<T>,
  ): Promise<T> {
    const operation = { kind, key };
    faulty.operations.push(operation);
    await faulty.before(operation);
    const result = await operate();
    await faulty.after(operation);
    return result;
  }
}

/** A `before` or `after` that makes every answer come a macrotask later. */
export function later(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A failure as a driver has it. */
export function outage(): never {
  throw new Error("The driver is out of order");
}

/** A gate that operations wait at, and that tells when the first has come. */
export class Gate {
  readonly reached: Promise<void>;
  readonly #opened: Promise<void>;
  #reach!: () => void;
  open!: () => void;

  constructor() {
    this.reached = new Promise((resolve) => (this.#reach = resolve));
    this.#opened = new Promise((resolve) => (this.open = resolve));
  }

  pass(): Promise<void> {
    this.#reach();
    return this.#opened;
  }
}

/**
 * Holds up the next operation that begins like `what`, as `write user:`: before it is done, or its
 * answer after that.
 */
export function hold(faulty: FaultyDriver, when: "before" | "after", what: string): Gate {
  const gate = new Gate();
  let isHeld = false;
  faulty[when] = ({ kind, key }) => {
    if (isHeld || !`${kind} ${key}`.startsWith(what)) return undefined;
    isHeld = true;
    return gate.pass();
  };
  return gate;
}

// --- Internal helpers ---

function allow(): void {}
