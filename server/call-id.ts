import { randomUUID } from "../storage/random.ts";

let prefix: string | undefined;
let count = 0;

/** Returns an ID for a call: a random part for this process, and a counter. Other servers rarely have the same ID. */
export function nextCallId(): string {
  prefix ??= randomUUID().slice(0, 8);
  count++;
  return `${prefix}-${count}`;
}
