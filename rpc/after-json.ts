import type { Jsonify } from "type-fest";

/**
 * The type of a value after JSON. `Jsonify` needs `strictNullChecks`. Without that option, which some frameworks leave off,
 * this is the type before JSON.
 */
export type AfterJson<T> = undefined extends string ? T : Jsonify<T>;
