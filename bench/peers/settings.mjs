const { BENCH_REDIS_URL, BENCH_LEAN } = process.env;

/** The Redis for the sessions. If absent, they are in memory. */
export const redisUrl = BENCH_REDIS_URL || undefined;
/** Whether a peer uses those of its documented settings that need the least work. */
export const isLean = BENCH_LEAN === "on";
export const secret = "a secret that only this benchmark uses";
/** Lifetime of a session in seconds, as in ours. */
export const maxAge = 86_400;
