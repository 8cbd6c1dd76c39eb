/**
 * Rejects options that a function doesn't have, for JavaScript: there, no compiler finds a misspelled one, and the function
 * would use its default.
 * @param owner the name of the function
 * @param known the names of its options. The compiler finds a missing one.
 * @throws TypeError that names the option, and those that exist
 */
export function assertOptions<Options extends object>(
  owner: string,
  options: Options,
  known: Readonly<Record<keyof Options, true>>,
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(known, name)) continue;
    const expected = Object.keys(known).join(", ");
    throw new TypeError(`${owner}: unknown option ${name}. Expected ${expected}`);
  }
}
