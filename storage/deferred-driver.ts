import type { Driver } from "unstorage";
import type { Capabilities } from "./documents/documents.ts";

/**
 * Creates a driver that loads its module at its first call. The instance of its client is a promise.
 * @param isRaw whether the driver has `getItemRaw` and `setItemRaw`
 * @param loader loads the driver; called once
 * @param capabilities those of its adapter, which are known before
 */
export function createDeferredDriver(
  { name, options, isRaw }: { name: string; options: object; isRaw: boolean },
  loader: () => Promise<Driver>,
  capabilities: Capabilities,
): Driver {
  let loading: Promise<Driver> | undefined;
  const load = () => (loading ??= loader());
  const driver: Driver = {
    name,
    options,
    hasItem: async (key, more) => (await load()).hasItem(key, more),
    getItem: async (key, more) => (await load()).getItem(key, more),
    setItem: async (key, value, more) => (await load()).setItem?.(key, value, more),
    removeItem: async (key, more) => (await load()).removeItem?.(key, more),
    getKeys: async (base, more) => (await load()).getKeys(base, more),
    clear: async (base, more) => (await load()).clear?.(base, more),
    getInstance: async () => (await load()).getInstance?.(),
    async dispose() {
      // Don't load a driver in order to close it.
      await (await loading?.catch(() => undefined))?.dispose?.();
    },
    ...(isRaw && {
      getItemRaw: async (key: string, more: object) => (await load()).getItemRaw?.(key, more),
      setItemRaw: async (key: string, value: unknown, more: object) =>
        (await load()).setItemRaw?.(key, value, more),
    }),
  };
  deferred.set(driver, { capabilities, load });
  return driver;
}

/** The capabilities and the loader of a driver that {@link createDeferredDriver} made. */
export function findDeferred(driver: Driver) {
  return deferred.get(driver);
}

// --- Internal helpers ---

const deferred = new WeakMap<
  Driver,
  { readonly capabilities: Capabilities; readonly load: () => Promise<Driver> }
>();
