import { openDriver } from "../storage/open-driver.ts";
import type { Driver } from "unstorage";

/** An operation of a driver. */
export interface Operation {
  readonly kind: "read" | "write" | "remove";
  readonly key: string;
}

/**
 * A memory driver whose operations a test can count, delay, and make fail: for parts without a storefront, and for
 * races. To fail the storage of a whole storefront, use `startControlled` of `_setup.ts`.
 */
export interface FaultyDriver {
  readonly driver: Driver;
  /** All operations so far. */
  readonly operations: Operation[];
  /** Runs before each operation. Its error fails the operation; its promise delays the operation. */
  before: (operation: Operation) => unknown;
  /** Runs after each operation. Its error replaces the operation's result. */
  after: (operation: Operation) => unknown;
  /** Removes all delays and failures. */
  heal(): void;
  /** The stored strings by key. */
  stored(): ReadonlyMap<string, string>;
}

/** Creates such a driver, without delays and failures at first. */
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

/** A `before` or `after` that delays every operation by a macrotask. */
export function later(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Throws like a failing driver. */
export function outage(): never {
  throw new Error("The driver is out of order");
}

/** A barrier that blocks operations, and resolves `reached` when the first arrives. */
export class Barrier {
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
 * Blocks the next operation that begins like `what`, for example `write user:`: before it runs, or its
 * response afterwards.
 */
export function hold(faulty: FaultyDriver, when: "before" | "after", what: string): Barrier {
  const barrier = new Barrier();
  let isHeld = false;
  faulty[when] = ({ kind, key }) => {
    if (isHeld || !`${kind} ${key}`.startsWith(what)) return undefined;
    isHeld = true;
    return barrier.pass();
  };
  return barrier;
}

// --- Internal helpers ---

function allow(): void {}
