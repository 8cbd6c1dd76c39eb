/** Runs the tasks of one key one after the other, and those of different keys at the same time. */
export type Queue = <T>(key: string, task: () => Promise<T>) => Promise<T>;

/** Makes a queue; it remembers only the keys that have a task. */
export function createQueue(): Queue {
  const tails = new Map<string, Promise<void>>();
  return function enqueue(key, task) {
    const result = (tails.get(key) ?? Promise.resolve()).then(task);
    const tail: Promise<void> = result.then(leave, leave);
    tails.set(key, tail);
    return result;

    function leave(): void {
      if (tails.get(key) === tail) tails.delete(key);
    }
  };
}
