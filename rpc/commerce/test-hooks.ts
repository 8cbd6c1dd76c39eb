/* The steps at which tests of commerce systems interfere. In production, they do nothing. */

/** A step of a change, a login, or a merge after which a process can end. */
export type Step = (typeof steps)[number];

export const steps = [
  "change: planned",
  "change: stored",
  "change: set",
  "login: accepted",
  "merge: sealed",
  "merge: planned",
  "merge: stored",
  "merge: set",
  "merge: done",
  "merge: removed",
] as const;

let hooks: {
  /** Runs at each step. An error ends the call there. */
  readonly onStep?: ((step: Step) => void | Promise<void>) | undefined;
  /** Sends the requests to a commerce system instead of `fetch`. */
  readonly send?: typeof fetch | undefined;
} = {};

/** Sets the functions of a test, until the returned function is called. */
export function hookTests(next: typeof hooks): () => void {
  hooks = next;
  return () => {
    hooks = {};
  };
}

/** Names the step that a call has reached. */
export function reached(step: Step): void | Promise<void> {
  return hooks.onStep?.(step);
}

export function sendRequest(
  input: Parameters<typeof fetch>[0],
  init: RequestInit,
): Promise<Response> {
  return (hooks.send ?? fetch)(input, init);
}
