/** A value that differs between two states. It is `undefined` in a state that doesn't have it. */
export interface Change {
  /** For example `basket.items[0].quantity`. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The most changes of one call in the list. */
const most = 100;

/** Lists the differences of two JSON values. A value that only one of them has is one change, with all that it contains. */
export function listChanges(before: unknown, after: unknown): readonly Change[] {
  return [...findChanges(before, after, "")].slice(0, most);
}

// --- Internal helpers ---

function* findChanges(before: unknown, after: unknown, path: string): Generator<Change> {
  if (Object.is(before, after)) return;
  if (!isObject(before) || !isObject(after) || Array.isArray(before) !== Array.isArray(after)) {
    yield { path, before, after };
    return;
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    yield* findChanges(before[key], after[key], join(path, key, Array.isArray(before)));
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function join(path: string, key: string, isItem: boolean): string {
  if (isItem) return `${path}[${key}]`;
  return path === "" ? key : `${path}.${key}`;
}
