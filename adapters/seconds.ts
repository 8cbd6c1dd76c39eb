/**
 * Milliseconds of an option that is given in seconds.
 *
 * @throws TypeError, with the option's name, for what is no positive number
 */
export function toMilliseconds(option: string, seconds: number): number {
  if (typeof seconds === "number" && seconds > 0) return seconds * 1000;
  throw new TypeError(`${option} must be a positive number of seconds`);
}
