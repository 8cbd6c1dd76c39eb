/** Remembers that `secret` marked a schema of another vendor than zod 4, so that a part of a schema is found out. */
export function markForeign(schema: object): void {
  marked.add(schema);
  hasMarks = true;
  // zod 3 copies its definition to what is made of a schema, as by `.min(8)`.
  const { _def: definition } = schema as { readonly _def?: unknown };
  if (isObject(definition)) Object.assign(definition, { [mark]: true });
}

/** Whether such a schema is a part of another, as far as can be seen from outside. */
export function holdsForeignMark(schema: object): boolean {
  if (!hasMarks) return false;
  const seen = new Set<object>();
  const open: unknown[] = partsOf(schema);
  while (open.length > 0 && seen.size < maxParts) {
    const part = open.pop();
    if (!isObject(part) || seen.has(part)) continue;
    seen.add(part);
    if (marked.has(part) || Object.hasOwn(part, mark)) return true;
    open.push(...partsOf(part));
  }
  return false;
}

// --- Internal helpers ---

const mark = Symbol("secret");
const marked = new WeakSet<object>();
let hasMarks = false;

/** More than the largest schema has; each is looked at once, when its method is defined. */
const maxParts = 20_000;

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** Whatever a schema holds. */
function partsOf(schema: object): unknown[] {
  // arktype's lead to all schemas of the program, but list their own parts.
  const { references } = schema as { readonly references?: unknown };
  if (Array.isArray(references)) return references;
  if (schema instanceof Map || schema instanceof Set) return [...schema.keys(), ...schema.values()];
  return Reflect.ownKeys(schema).flatMap((key) => {
    const value: unknown = Object.getOwnPropertyDescriptor(schema, key)?.value;
    return isLazy(key, value) ? [value, tryCall(value)] : [value];
  });
}

/** Parts that zod 3 and valibot make when they are asked for. */
function isLazy(key: PropertyKey, value: unknown): value is () => unknown {
  return typeof value === "function" && (key === "shape" || key === "getter");
}

function tryCall(make: () => unknown): unknown {
  try {
    return make();
  } catch {
    return undefined;
  }
}
