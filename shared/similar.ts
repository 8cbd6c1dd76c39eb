/**
 * Finds the name that a misspelled one probably means.
 * @param limit the most characters that differ. Default: a third of them
 * @returns `undefined` if no known name is so similar
 */
export function findSimilar(
  name: string,
  known: readonly string[],
  limit = Math.ceil(name.length / 3),
): string | undefined {
  if (name.length > maxLength) return undefined;
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const each of known) {
    const distance = countEdits(name.toLowerCase(), each.toLowerCase());
    if (distance <= limit && distance < (best?.distance ?? Infinity))
      best = { name: each, distance };
  }
  return best?.name;
}

/**
 * Finds the members of an object that probably misspell a known one. The object can be an instance of a class, and can
 * have members of its own: `createUser` is no misspelled `updateUser`, and `_verifyPassword` is private. Hardly anyone
 * misspells the first letter, so `batch` is no misspelled `watch`.
 * @param fits whether the known member could have a value: the number `calls` is no misspelled function `call`
 */
export function findMisspelled(
  object: object,
  known: readonly string[],
  fits: (name: string, value: unknown) => boolean,
): readonly { readonly name: string; readonly meant: string }[] {
  const names = namesOf(object);
  // A name such as `send` is similar to `end` by chance.
  const missing = known.filter((name) => name.length > 3 && !names.has(name));
  return [...names].flatMap((name) => {
    if (known.includes(name) || /^[_$#]/.test(name)) return [];
    const limit = name.length < 4 ? 0 : name.length < 12 ? 1 : 2;
    const first = name.charAt(0).toLowerCase();
    const meant = findSimilar(
      name,
      missing.filter((each) => each.startsWith(first)),
      limit,
    );
    if (meant === undefined) return [];
    const value = (object as Readonly<Record<string, unknown>>)[name];
    return value !== undefined && fits(meant, value) ? [{ name, meant }] : [];
  });
}

/**
 * Rejects misspelled options of a function. A config isn't compiled, so without this check the function would use its
 * default. The options can have other members, for example those of an object that serves several functions.
 * @param owner the name of the function
 * @param known the names of its options. The compiler finds a missing one.
 * @throws TypeError that names the option, and the one that is meant
 */
export function assertOptions<Options extends object>(
  owner: string,
  options: Options,
  known: Readonly<Record<keyof Options, true>>,
): void {
  const [wrong] = findMisspelled(options, Object.keys(known), () => true);
  if (wrong === undefined) return;
  throw new TypeError(`${owner}: no option ${wrong.name}; did you mean ${wrong.meant}?`);
}

// --- Internal helpers ---

/** The names of an object's members, also those of its classes. */
function namesOf(object: object): ReadonlySet<string> {
  const names = new Set<string>();
  let level: object | null = object;
  while (level !== null && level !== Object.prototype) {
    for (const name of Object.getOwnPropertyNames(level)) names.add(name);
    level = Object.getPrototypeOf(level) as object | null;
  }
  return names;
}

/** Longer than any name of ours. The time of a comparison grows with the product of both lengths. */
const maxLength = 64;

function at(list: readonly number[], index: number): number {
  return list[index] ?? Infinity;
}

/** Counts the characters to insert, delete, replace, or swap with their neighbor. */
function countEdits(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const next = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      next[column] = Math.min(
        at(last, column) + 1,
        at(next, column - 1) + 1,
        at(last, column - 1) + (isSame ? 0 : 1),
        isSwapped && row > 1 && column > 1 ? at(before, column - 2) + 1 : Infinity,
      );
    }
    [before, last] = [last, next];
  }
  return last[to.length] ?? Infinity;
}
