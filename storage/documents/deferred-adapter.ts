import type { RemoteFeed, StorageAdapter } from "./adapter.ts";
import type { Capabilities, ChangeListener, Counters } from "./documents.ts";

/**
 * Creates an adapter that opens its storage at the first operation, or when `ready` is called.
 * @param open fails for good: a driver that can't load now can't load later
 */
export function createDeferredAdapter(
  capabilities: Capabilities,
  open: () => Promise<StorageAdapter>,
): StorageAdapter {
  /** Once it is open, an operation waits for nothing. */
  let adapter: StorageAdapter | undefined;
  let opening: Promise<StorageAdapter> | undefined;
  let isClosed = false;
  const waiting = new Set<(opened: StorageAdapter) => void>();
  const canPush = capabilities.atomic === "cluster" && capabilities.changes === "pushed";
  return {
    capabilities,
    read: (key) => adapter?.read(key) ?? start().then((opened) => opened.read(key)),
    swap: (key, expected, next) =>
      adapter?.swap(key, expected, next) ??
      start().then((opened) => opened.swap(key, expected, next)),
    take: (key) => adapter?.take(key) ?? start().then((opened) => opened.take(key)),
    setAside: (key, text) => start().then((opened) => opened.setAside(key, text)),
    ping: () => start().then((opened) => opened.ping()),
    inspect: async () => (await start()).inspect?.() ?? {},
    async ready() {
      await start();
    },
    async close() {
      isClosed = true;
      const opened = await opening?.catch(() => undefined);
      await opened?.close();
    },
    ...(capabilities.atomic === "cluster" && { counters }),
    ...(canPush && { watch }),
  };

  function start(): Promise<StorageAdapter> {
    if (isClosed && opening === undefined)
      return Promise.reject(new Error("The storage is closed"));
    return (opening ??= open().then((opened) => {
      adapter = opened;
      for (const begin of waiting) begin(opened);
      return opened;
    }));
  }

  function counters(name: string, window: number): Counters {
    let opened: Counters | undefined;
    const use = async () => (opened ??= (await start()).counters?.(name, window) as Counters);
    return {
      read: (key) => opened?.read(key) ?? use().then((counts) => counts.read(key)),
      add: (key) => opened?.add(key) ?? use().then((counts) => counts.add(key)),
      takeBack: (key) => use().then((counts) => counts.takeBack(key)),
      clear: (key) => use().then((counts) => counts.clear(key)),
    };
  }

  function watch(prefix: string, emit: ChangeListener): RemoteFeed {
    let remote: RemoteFeed | undefined;
    const begin = (opened: StorageAdapter) => void (remote = opened.watch?.(prefix, emit));
    if (adapter === undefined) waiting.add(begin);
    else begin(adapter);
    return {
      isUp() {
        // A cache that waits for its feed is a first use, too.
        if (remote === undefined) start().catch(() => undefined);
        return remote?.isUp() ?? false;
      },
      close() {
        waiting.delete(begin);
        remote?.close();
      },
    };
  }
}
