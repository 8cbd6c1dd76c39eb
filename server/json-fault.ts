/** A part of a value that JSON has no form for. */
export interface JsonFault {
  /** From the value down to the part, as `items[2].price`; empty for the value itself. */
  readonly path: string;
  /** As `a Map`, or `NaN`. */
  readonly found: string;
}

/**
 * Finds a part that JSON would change or drop without an error, or fails on: a `Map`, a stream, `NaN`, a function.
 * Members that are `undefined` are left out, and `toJSON` is called, as `JSON.stringify` does.
 */
export function findJsonFault(value: unknown): JsonFault | undefined {
  const fault = findFault(value, "", 0);
  return fault && { path: toText(fault.keys), found: fault.found };
}

// --- Internal helpers ---

/** Nested deeper than this, a value is taken for a circle. */
const maxDepth = 500;
/** So many keys of a path are told. */
const toldKeys = 8;

interface Fault {
  readonly found: string;
  /** From the fault up to the value. */
  readonly keys: (string | number)[];
}

function findFault(value: unknown, key: string, depth: number): Fault | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : { found: String(value), keys: [] };
    case "object":
      return value === null ? undefined : findFaultIn(value, key, depth);
    default:
      return hasToJson(value)
        ? findFault(value.toJSON(key), key, depth)
        : { found: `a ${typeof value}`, keys: [] };
  }
}

function findFaultIn(value: object, key: string, depth: number): Fault | undefined {
  if (depth > maxDepth) return { found: `more than ${maxDepth} deep, or a circle`, keys: [] };
  if (hasToJson(value)) {
    const isInvalid = value instanceof Date && Number.isNaN(value.getTime());
    if (isInvalid) return { found: "an invalid Date", keys: [] };
    const json = value.toJSON(key);
    return json === value ? findFaultInParts(value, depth) : findFault(json, key, depth + 1);
  }
  return findFaultInParts(value, depth);
}

function findFaultInParts(value: object, depth: number): Fault | undefined {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const fault = findFault(value[index], "", depth + 1);
      if (fault !== undefined) return within(fault, index);
    }
    return undefined;
  }
  const keys = Object.keys(value);
  if (!isPlain(value)) {
    if (isPrimitive(value)) return findFault(value.valueOf(), "", depth);
    if (keys.length === 0 || isEmptied(value)) return { found: nameOf(value), keys: [] };
  }
  for (const key of keys) {
    const fault = findFault((value as Record<string, unknown>)[key], key, depth + 1);
    if (fault !== undefined) return within(fault, key);
  }
  return undefined;
}

function within(fault: Fault, key: string | number): Fault {
  fault.keys.push(key);
  return fault;
}

function hasToJson(value: unknown): value is { toJSON(key: string): unknown } {
  return typeof (value as { readonly toJSON?: unknown }).toJSON === "function";
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** `new Number(1)` and its like are what they hold. */
function isPrimitive(value: object): boolean {
  return /^\[object (?:Number|String|Boolean)\]$/.test(Object.prototype.toString.call(value));
}

/** Those whose content is in none of their fields, though they may have some, or in too many. */
function isEmptied(value: object): boolean {
  return (
    value instanceof Map ||
    value instanceof Set ||
    value instanceof Error ||
    value instanceof Promise ||
    ArrayBuffer.isView(value)
  );
}

function nameOf(value: object): string {
  const { constructor } = value as { readonly constructor?: { readonly name?: unknown } };
  const name = constructor?.name;
  const tag = Object.prototype.toString.call(value).slice("[object ".length, -1);
  return `a ${typeof name === "string" && name !== "" && name !== "Object" ? name : tag}`;
}

/** Of a circle, only the beginning. */
function toText(keys: readonly (string | number)[]): string {
  const told = keys.toReversed().slice(0, toldKeys);
  const steps = told.map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`));
  const rest = keys.length > toldKeys ? "…" : "";
  return `${steps.join("").replace(/^\./, "")}${rest}`;
}
