const { BENCH_REDIS_URL, BENCH_LEAN } = process.env;

/** Where sessions are kept; absent: in memory. */
export const redisUrl = BENCH_REDIS_URL || undefined;
/** Whether a peer does as little as its documented settings allow. */
export const isLean = BENCH_LEAN === "on";
export const secret = "of no use to anyone but in this measurement";
/** Seconds that a session lives, as in ours. */
export const maxAge = 86_400;
