/** A step of a change or of a merge after which a process can end. */
export type Step = (typeof steps)[number];

/** All steps, in their order. */
export const steps = [
  "change: planned",
  "change: stored",
  "change: set",
  "merge: sealed",
  "merge: planned",
  "merge: stored",
  "merge: set",
  "merge: done",
  "merge: removed",
] as const;

/** Runs at each step. Only tests set it. */
let observer: ((step: Step) => void | Promise<void>) | undefined;

/** Tells the test which step comes next: in production, nothing. */
export function reached(step: Step): void | Promise<void> {
  return observer?.(step);
}

/** For tests of crashes: runs a function at each step, until it is set to `undefined`. */
export function observeSteps(observe: typeof observer): void {
  observer = observe;
}
