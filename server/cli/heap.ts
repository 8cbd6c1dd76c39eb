import { setFlagsFromString } from "node:v8";

/**
 * Makes V8 create the objects of calls in the young generation of its heap. After parallel logins, V8 would create them
 * in the old one, and each call would stay in memory until a full garbage collection (docs/speed.md).
 */
export function keepCallsYoung(): void {
  setFlagsFromString("--no-allocation-site-pretenuring");
}
