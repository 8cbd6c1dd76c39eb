import { toPath } from "./config-error.ts";
import { serverGroups, shopGroups, type StorefrontConfig } from "./config.ts";
import { commerceKey } from "./keys/commerce-key.ts";
import type { Effective, Key, KeyTable, Sourced, SourcedValue } from "./keys/config-key.ts";
import { byDefault } from "./keys/config-key.ts";
import { loginAttemptsKeys } from "./keys/server-keys.ts";
import { shopKeys } from "./keys/shop-keys.ts";
import { topKeys } from "./keys/top-keys.ts";

/** The effective value of every key, and its source. */
export interface SourcedConfig extends Omit<SourcedGroups<typeof serverGroups>, "loginAttempts"> {
  /** The keys of the top level that belong to no group. */
  readonly top: Sourced<Effective<typeof topKeys>>;
  /** Each is `undefined` if `loginAttempts` is `false`. */
  readonly loginAttempts: Sourced<Record<keyof typeof loginAttemptsKeys, number | undefined>>;
  readonly shops: readonly SourcedShop[];
}

/** The effective value of every key of a shop. */
export interface SourcedShop extends SourcedGroups<typeof shopGroups> {
  /** The keys that belong to no group. */
  readonly shop: Sourced<Effective<typeof shopKeys>>;
}

/** Merges the defaults, the keys of the top level, and the keys of each shop. */
export function mergeConfig(
  config: StorefrontConfig,
  { production }: { readonly production: boolean },
): SourcedConfig {
  const off = { value: undefined, path: "loginAttempts", source: "loginAttempts", isSet: true };
  const hasDefaultShop = config.shops.some(({ isDefault }) => isDefault);
  return {
    ...mergeGroups(serverGroups, [[config, []]], { production }),
    ...(config.loginAttempts === false && {
      loginAttempts: { perAccount: off, perAddress: off, window: off },
    }),
    top: merge(topKeys, [[config, []]], { production }),
    shops: config.shops.map((shop, index) => {
      const path = ["shops", index];
      const isDefaultShop = !hasDefaultShop && index === 0;
      // Without a default shop, `isDefault: false` of the first shop has no effect.
      const own = { ...shop, isDefault: hasDefaultShop ? shop.isDefault : undefined };
      const layers = [
        [config, []],
        [shop, path],
      ] as const;
      return {
        shop: {
          ...merge(shopKeys, [[own, path]], { production, isDefaultShop }),
          ...merge({ commerce: commerceKey }, layers, { production }),
        },
        ...mergeGroups(shopGroups, layers, { production }),
      };
    }),
  };
}

/** The values alone. */
export function toValues<Values>(sourced: Sourced<Values>): Values {
  const entries = Object.entries<SourcedValue>(sourced).map(([key, { value }]) => [key, value]);
  return Object.fromEntries(entries) as Values;
}

// --- Internal helpers ---

type SourcedGroups<Groups extends Readonly<Record<string, { readonly keys: KeyTable }>>> = {
  readonly [Name in keyof Groups]: Sourced<Effective<Groups[Name]["keys"]>>;
};

function mergeGroups<Groups extends Readonly<Record<string, { readonly keys: KeyTable }>>>(
  groups: Groups,
  owners: Parameters<typeof merge>[1],
  environment: Parameters<typeof merge>[2],
): SourcedGroups<Groups> {
  const merged = Object.entries(groups).map(([name, { keys }]) => {
    const layers = owners.map(([owner, path]) => {
      const { [name]: values } = owner as Readonly<Record<string, object | false | undefined>>;
      return [values || {}, [...path, name]] as const;
    });
    return [name, merge(keys, layers, environment)];
  });
  return Object.fromEntries(merged) as SourcedGroups<Groups>;
}

/**
 * Takes each key from the last layer that sets it, or else its default. A key that is `undefined` is not set.
 * @param layers objects of the config and their paths: the global one, then the shop's
 */
function merge<Table extends KeyTable>(
  table: Table,
  layers: readonly (readonly [values: object, path: readonly PropertyKey[]])[],
  environment: Parameters<NonNullable<Key["derive"]>>[1],
): Sourced<Effective<Table>> {
  const merged: Record<string, SourcedValue> = {};
  for (const [name, key] of Object.entries<Key>(table)) {
    const values = layers.map(
      ([layer]) => Object.entries(layer).find(([each]) => each === name)?.[1] as unknown,
    );
    const last = values.findLastIndex((value) => value !== undefined);
    const isSet = last >= 0;
    const path = toPath([...(layers[isSet ? last : 0]?.[1] ?? []), name]);
    merged[name] = isSet
      ? { value: values[last], path, source: path, isSet }
      : { ...(key.derive?.(merged, environment) ?? byDefault(key.default)), path, isSet };
  }
  return merged as Sourced<Effective<Table>>;
}
