import { randomUUID } from "../storage/random.ts";

let prefix: string | undefined;
let count = 0;

/** An ID that no other call of this server has, and of another server hardly: a random number, and a counter. */
export function nextCallId(): string {
  prefix ??= randomUUID().slice(0, 8);
  count++;
  return `${prefix}-${count}`;
}
