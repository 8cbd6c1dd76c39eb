import { findSimilar } from "../../shared/similar.ts";

/** An option that a driver ignores, although it is meant for it. */
export interface WrongOption {
  /** For example `["clusterOptions", "redisOptions", "pass"]`. */
  readonly path: readonly (string | number)[];
  /** The name of the option that is meant. */
  readonly meant: string;
}

/** The names of all options. The compiler finds one that a new version of the driver adds. */
export type OptionNames<Options> = Readonly<
  Record<Options extends unknown ? keyof Options & string : never, true>
>;

/** Names of other clients for an option, by its name. */
export type Synonyms = Readonly<Record<string, readonly string[]>>;

/**
 * Finds options that a driver ignores because of their names. A driver passes its options on to a client, which can have
 * more of them. So only a name is wrong that is similar to a known one, or a synonym of it.
 * @param known from {@link OptionNames}
 * @param path of the options
 */
export function findWrongOptions(
  options: Readonly<Record<string, unknown>>,
  known: object,
  synonyms: Synonyms = {},
  path: WrongOption["path"] = [],
): readonly WrongOption[] {
  const names = Object.keys(known);
  return Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined || names.includes(name)) return [];
    const lower = name.toLowerCase();
    const [synonym] =
      Object.entries(synonyms).find(([, all]) =>
        all.some((other) => other.toLowerCase() === lower),
      ) ?? [];
    const limit = Math.max(1, Math.floor(name.length / 4));
    const meant = synonym ?? findSimilar(name, names, limit);
    return meant === undefined ? [] : [{ path: [...path, name], meant }];
  });
}
