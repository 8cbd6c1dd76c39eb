/**
 * Finds a part that JSON would change or drop without an error, or fails on: a `Map`, a stream, `NaN`, a function.
 * Like `JSON.stringify`, it leaves out `undefined` properties, and calls `toJSON`.
 * @returns the path from the value to the part, for example `items[2].price` (empty for the value itself), and a
 * description, for example `a Map` or `NaN`
 */
export function findJsonFault(
  value: unknown,
): { readonly path: string; readonly found: string } | undefined {
  const fault = findFault(value, "", 0);
  return fault && { path: toPath(fault.keys), found: fault.found };
}

// --- Internal helpers ---

/** A value that is nested deeper counts as circular. */
const maxDepth = 500;
/** The most keys of a path in the message. */
const shownKeys = 8;

interface Fault {
  readonly found: string;
  /** In reverse order: from the part up to the value. */
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
  if (depth > maxDepth)
    return { found: `more than ${maxDepth} levels deep, or a circle`, keys: [] };
  if (hasToJson(value)) {
    const isInvalid = value instanceof Date && Number.isNaN(value.getTime());
    if (isInvalid) return { found: "an invalid Date", keys: [] };
    const json = value.toJSON(key);
    if (json !== value) return findFault(json, key, depth + 1);
  }
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const part: unknown = value[index];
      if (typeof part === "string") continue;
      const fault = findFault(part, "", depth + 1);
      if (fault !== undefined) return within(fault, index);
    }
    return undefined;
  }
  if (!isPlain(value)) {
    if (isPrimitive(value)) return findFault(value.valueOf(), "", depth);
    if (Object.keys(value).length === 0 || isEmptied(value))
      return { found: nameOf(value), keys: [] };
  }
  for (const name in value) {
    const part = (value as Record<string, unknown>)[name];
    if (typeof part === "string" || !Object.hasOwn(value, name)) continue;
    const fault = findFault(part, name, depth + 1);
    if (fault !== undefined) return within(fault, name);
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

/** Whether a value is a wrapped primitive, such as `new Number(1)`: JSON holds the primitive. */
function isPrimitive(value: object): boolean {
  return /^\[object (?:Number|String|Boolean)\]$/.test(Object.prototype.toString.call(value));
}

/** Whether JSON loses the content of such an object, because no field has it, or too many fields do. */
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

/** Only the first keys, because a circle has hundreds. */
function toPath(keys: readonly (string | number)[]): string {
  const shown = keys.toReversed().slice(0, shownKeys);
  const steps = shown.map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`));
  const rest = keys.length > shownKeys ? "…" : "";
  return `${steps.join("").replace(/^\./, "")}${rest}`;
}
