import type { Clock } from "../../storage/clock.ts";
import type { StorageAdapter } from "../../storage/documents/adapter.ts";
import type { Counters } from "../../storage/documents/documents.ts";
import { StorageUnavailableError } from "../../storage/documents/unavailable.ts";
import type { Intercept } from "../../storage/store.ts";

/** An operation of a storefront on its storage. `take` reads and removes a document; `count` is one of a login limit. */
export interface StorageOperation {
  readonly kind: "read" | "write" | "take" | "count" | "ping";
  /** The document's key, for example `session:1001:…`. */
  readonly key: string;
}

/** The kind of the operations that a fault hits. */
export type FaultKind = StorageOperation["kind"] | "any";

/** Chooses some operations of a kind. */
export interface FaultTarget {
  /** The beginning of the keys. Default: all keys. */
  readonly key?: string | undefined;
  /** The number of the only operation that the fault hits: 1 is the next one. Default: each operation. */
  readonly nth?: number | undefined;
}

/** The faults of the storages of one test storefront. Each throws a TypeError if it could never hit an operation. */
export interface StorageFaults {
  /** The operations so far. You can clear the array. */
  readonly operations: StorageOperation[];
  /** Makes operations fail before they change anything. */
  fail(kind: FaultKind, target?: FaultTarget): void;
  /** Delays operations by seconds of the storefront's clock. */
  delay(kind: FaultKind, seconds: number, target?: FaultTarget): void;
  /** Runs operations, and makes them fail afterwards: the change is stored, and the storefront doesn't know it. */
  loseAnswer(kind: FaultKind, target?: FaultTarget): void;
  /** Removes all faults. An operation that is being delayed still waits. */
  heal(): void;
}

/** Creates the faults, and the function that puts them between a storefront and its storages. */
export function createStorageFaults(clock: Clock): {
  readonly faults: StorageFaults;
  readonly intercept: Intercept;
} {
  const operations: StorageOperation[] = [];
  const planned: Fault[] = [];
  const plan = (effect: Fault["effect"], kind: FaultKind, target: FaultTarget = {}) => {
    assertHits(effect, kind, target);
    planned.push({ effect, kind, target, seen: 0 });
  };
  return {
    faults: {
      operations,
      fail: (kind, target) => plan("fail", kind, target),
      delay: (kind, seconds, target) => plan(seconds, kind, target),
      loseAnswer: (kind, target) => plan("loseAnswer", kind, target),
      heal: () => void planned.splice(0),
    },
    intercept: (adapter) => interceptAdapter(adapter, run),
  };

  async function run<T>(
    kind: StorageOperation["kind"],
    key: string,
    operate: () => Promise<T>,
  ): Promise<T> {
    const operation = { kind, key };
    operations.push(operation);
    const effects = planned.filter((fault) => isDue(fault, operation)).map(({ effect }) => effect);
    for (const effect of effects) {
      if (typeof effect === "number") await passed(effect);
    }
    if (effects.includes("fail")) throw failure(operation, "failed");
    const result = await operate();
    if (effects.includes("loseAnswer")) throw failure(operation, "lost its answer");
    return result;
  }

  function passed(seconds: number): Promise<void> {
    return new Promise((resolve) => void clock.setTimeout(resolve, seconds * 1000));
  }
}

// --- Internal helpers ---

interface Fault {
  /** A number: a delay in seconds. */
  readonly effect: "fail" | "loseAnswer" | number;
  readonly kind: FaultKind;
  readonly target: FaultTarget;
  /** The number of operations of the kind, with such a key, since the fault was planned. */
  seen: number;
}

type Run = <T>(
  kind: StorageOperation["kind"],
  key: string,
  operate: () => Promise<T>,
) => Promise<T>;

const kinds: readonly FaultKind[] = ["read", "write", "take", "count", "ping", "any"];

/** A fault that hits nothing would let a test pass that tests nothing. @throws TypeError */
function assertHits(
  effect: Fault["effect"],
  kind: FaultKind,
  { key, nth, ...strays }: FaultTarget,
) {
  const [stray] = Object.keys(strays);
  if (!kinds.includes(kind)) throw wrong("kind", kind, kinds.join(", "));
  if (typeof effect !== "string" && !(Number.isFinite(effect) && effect >= 0)) {
    throw wrong("seconds", effect, "a number, 0 or more");
  }
  if (stray !== undefined) throw wrong("target", stray, "key and nth only");
  if (key !== undefined && typeof key !== "string") throw wrong("key", key, "a string");
  if (nth !== undefined && !(Number.isInteger(nth) && nth > 0)) {
    throw wrong("nth", nth, "a whole number, 1 or more");
  }
}

function wrong(name: string, value: unknown, expected: string): TypeError {
  return new TypeError(`${name}: received ${JSON.stringify(value)}. Expected ${expected}`);
}

/** Whether a fault hits an operation. It counts the operation. */
function isDue(fault: Fault, { kind, key }: StorageOperation): boolean {
  if (fault.kind !== "any" && fault.kind !== kind) return false;
  if (!key.startsWith(fault.target.key ?? "")) return false;
  fault.seen++;
  return fault.target.nth === undefined || fault.target.nth === fault.seen;
}

/** Without the key, which can contain a session ID. */
function failure({ kind, key }: StorageOperation, what: string): StorageUnavailableError {
  const [name = ""] = key.split(":");
  return new StorageUnavailableError(`A fault of the test: the ${kind} of a "${name}" ${what}`);
}

function interceptAdapter(adapter: StorageAdapter, run: Run): StorageAdapter {
  return {
    ...adapter,
    read: (key) => run("read", key, () => adapter.read(key)),
    swap: (key, expected, next) => run("write", key, () => adapter.swap(key, expected, next)),
    take: (key) => run("take", key, () => adapter.take(key)),
    setAside: (key, text) => run("write", key, () => adapter.setAside(key, text)),
    ping: () => run("ping", "ping", () => adapter.ping()),
    ...(adapter.counters && { counters: interceptCounters(adapter.counters, run) }),
  };
}

function interceptCounters(
  open: NonNullable<StorageAdapter["counters"]>,
  run: Run,
): NonNullable<StorageAdapter["counters"]> {
  return (name, window) => {
    const counters = open(name, window);
    const intercepted: Counters = {
      read: (key) => run("count", `${name}:${key}`, () => counters.read(key)),
      add: (key) => run("count", `${name}:${key}`, () => counters.add(key)),
      takeBack: (key) => run("count", `${name}:${key}`, () => counters.takeBack(key)),
      clear: (key) => run("count", `${name}:${key}`, () => counters.clear(key)),
    };
    return intercepted;
  };
}
