import { serverGroups, shopGroups, type StorefrontConfig } from "./config.ts";
import type { Effective, Key, KeyTable } from "./keys/key.ts";
import { loginAttemptsKeys } from "./keys/server-keys.ts";
import { shopKeys } from "./keys/shop-keys.ts";
import { topKeys } from "./keys/top-keys.ts";
import { byDefault, toLayer, type Layer, type Sourced, type SourcedValue } from "./layers.ts";

/** The effective value of every key, and its source. */
export interface SourcedConfig extends Omit<SourcedGroups<typeof serverGroups>, "loginAttempts"> {
  /** The keys of the top level that belong to no group. */
  readonly top: Sourced<Effective<typeof topKeys>>;
  /** Each is `undefined` if `loginAttempts` is `false`. */
  readonly loginAttempts: Sourced<{
    readonly [Name in keyof typeof loginAttemptsKeys]: number | undefined;
  }>;
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
  { production }: { readonly production: boolean } = { production: false },
): SourcedConfig {
  const groups = mapValues(serverGroups, (table, name) =>
    merge(table, [groupOf(config, name)], { production }),
  ) as unknown as SourcedGroups<typeof serverGroups>;
  const off = { value: undefined, source: "loginAttempts", isSet: true };
  const hasDefaultShop = config.shops.some(({ isDefault }) => isDefault);
  return {
    ...groups,
    ...(config.loginAttempts === false && {
      loginAttempts: mapValues(loginAttemptsKeys, () => off),
    }),
    top: merge(topKeys, [toLayer(config, [])], { production }),
    shops: config.shops.map((shop, index) => {
      const path = ["shops", index];
      const isDefaultShop = !hasDefaultShop && index === 0;
      // Without a default shop, `isDefault: false` of the first shop has no effect.
      const own = { ...shop, isDefault: hasDefaultShop ? shop.isDefault : undefined };
      return {
        shop: merge(shopKeys, [toLayer(own, path)], { production, isDefaultShop }),
        ...(mapValues(shopGroups, (table, name) => {
          const layers = [groupOf(config, name), groupOf(shop, name, path)];
          return merge(table, layers, { production });
        }) as unknown as SourcedGroups<typeof shopGroups>),
      };
    }),
  };
}

// --- Internal helpers ---

type SourcedGroups<Tables> = {
  readonly [Name in keyof Tables]: Sourced<Effective<Tables[Name]>>;
};

/** The keys that the config, or a shop of it, sets in a group. */
function groupOf(owner: object, name: string, path: readonly PropertyKey[] = []): Layer {
  const { [name]: group } = owner as Readonly<Record<string, object | false | undefined>>;
  return toLayer(group || {}, [...path, name]);
}

/** Takes each key from the last layer that sets it, or else its default. */
function merge<Table extends KeyTable>(
  table: Table,
  layers: readonly Layer[],
  environment: { readonly production: boolean; readonly isDefaultShop?: boolean },
): Sourced<Effective<Table>> {
  const merged: Record<string, SourcedValue> = {};
  for (const [name, key] of Object.entries<Key>(table)) {
    merged[name] =
      layers.findLast((layer) => layer[name] !== undefined)?.[name] ??
      key.derive?.(merged, environment) ??
      byDefault(key.default);
  }
  return merged as Sourced<Effective<Table>>;
}

function mapValues<Values extends object, To>(
  values: Values,
  map: (value: Values[keyof Values], name: string) => To,
): { readonly [Name in keyof Values]: To } {
  const entries = Object.entries(values).map(([name, value]) => [name, map(value, name)]);
  return Object.fromEntries(entries) as { readonly [Name in keyof Values]: To };
}
