/**
 * A position in the order of a shop's invalidations. A value is marked with the position at which its load began: a
 * logical clock, because the clocks of two servers never agree.
 */
export interface CacheMark {
  /** Marks of different series can't be compared, because the document was lost between them. */
  readonly series: string;
  readonly count: number;
}

/** A shop's invalidations so far. */
export interface Invalidations extends CacheMark {
  /** Invalidations up to this count are forgotten: values with tags and an earlier mark are invalid. */
  readonly floor: number;
  /** Each tag, with the count of its latest invalidation. The latest one is the last. */
  readonly tags: readonly (readonly [tag: string, count: number])[];
}

/** Begins a series. */
export function startInvalidations(series: string): Invalidations {
  return { series, count: 0, floor: 0, tags: [] };
}

/** Adds an invalidation of tags, and forgets the oldest ones above {@link maxTags}. */
export function addInvalidation(
  { series, count, floor, tags: earlier }: Invalidations,
  added: readonly string[],
): Invalidations {
  const next = count + 1;
  const latest = new Map(earlier);
  // Deleted first, so that a tag moves to the end.
  for (const tag of added) latest.delete(tag);
  for (const tag of added) latest.set(tag, next);
  const tags = [...latest];
  const forgotten = tags.splice(0, Math.max(0, tags.length - maxTags));
  return { series, count: next, floor: forgotten.at(-1)?.[1] ?? floor, tags };
}

/** Whether no tag of a value was invalidated since the value's mark. */
export function isCurrent(
  { mark, tags }: { readonly mark: CacheMark | undefined; readonly tags: ReadonlySet<string> },
  { series, count, floor, tags: invalidated }: Invalidations,
): boolean {
  if (mark?.series !== series) return false;
  if (tags.size === 0 || mark.count >= count) return true;
  if (mark.count < floor) return false;
  for (let index = invalidated.length - 1; index >= 0; index--) {
    const [tag, at] = invalidated[index] as readonly [string, number];
    if (at <= mark.count) return true;
    if (tags.has(tag)) return false;
  }
  return true;
}

/** Whether a stored value is a mark. */
export function isCacheMark(value: unknown): value is CacheMark {
  const { series, count } = (value ?? {}) as Partial<CacheMark>;
  return typeof series === "string" && Number.isSafeInteger(count);
}

/** Whether a stored value is a document of invalidations. */
export function isInvalidations(value: unknown): value is Invalidations {
  if (!isCacheMark(value)) return false;
  const { floor, tags } = value as Partial<Invalidations>;
  return Number.isSafeInteger(floor) && Array.isArray(tags) && tags.every(isTag);
}

// --- Internal helpers ---

/** The most tags in the document, which each invalidation writes: about 20 kB. */
const maxTags = 500;

function isTag(entry: unknown): boolean {
  const [tag, count] = Array.isArray(entry) ? (entry as unknown[]) : [];
  return typeof tag === "string" && Number.isSafeInteger(count);
}
