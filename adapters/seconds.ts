/**
 * Converts an option from seconds to milliseconds.
 *
 * @throws TypeError with the option's name if the value isn't a positive number
 */
export function toMilliseconds(option: string, seconds: number): number {
  if (typeof seconds === "number" && seconds > 0) return seconds * 1000;
  throw new TypeError(`${option} must be a positive number of seconds`);
}
