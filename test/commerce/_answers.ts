import type { Answer } from "../_cookie-client.ts";

/** Counts responses by status and code, for example `{ "200": 9, "409 session_changed": 1 }`. */
export function tally(answers: readonly Answer[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status, body } of answers) {
    const name = status < 400 ? String(status) : `${status} ${body?.code}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** Makes 100 calls at the same time. @returns the milliseconds that half of them need at most */
export async function measureMedian(call: () => Promise<Answer>): Promise<number> {
  const times = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const start = performance.now();
      await call();
      return performance.now() - start;
    }),
  );
  return times.toSorted((a, b) => a - b)[50] as number;
}
