/**
 * Finds the name that a misspelled one probably means: it differs in a third of its characters at most.
 * @returns `undefined` if no known name is so similar
 */
export function findSimilar(name: string, known: readonly string[]): string | undefined {
  if (name.length > maxLength) return undefined;
  const limit = Math.ceil(name.length / 3);
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const each of known) {
    const distance = countEdits(name.toLowerCase(), each.toLowerCase());
    if (distance <= limit && distance < (best?.distance ?? Infinity))
      best = { name: each, distance };
  }
  return best?.name;
}

// --- Internal helpers ---

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
