/** Documents in Cloudflare's Durable Objects, one object for each document: the public entry `storefront-core/durable-object`. */

import { assertOptions } from "../shared/similar.ts";
import {
  asideSeconds,
  defineStorageDriver,
  pingKey,
  type AdapterDriver,
  type Expected,
  type Replacement,
  type StorageAdapter,
  type Swap,
} from "../storage/index.ts";

/** Options of {@link createDurableObjectDriver}. */
export interface DurableObjectDriverOptions {
  /** The binding of {@link StorefrontDocument}, for example `env.DOCUMENTS`. */
  readonly namespace: DocumentNamespace;
  /** Precedes the names of the objects. Two storages of one namespace need different ones. Default: none. */
  readonly base?: string;
}

/** The part of a binding to Durable Objects that the driver uses. */
export interface DocumentNamespace<Id = unknown> {
  idFromName(name: string): Id;
  get(id: Id): {
    fetch(
      url: string,
      init: { readonly method: "POST"; readonly body: string },
    ): Promise<{ readonly ok: boolean; readonly status: number; json(): Promise<unknown> }>;
  };
}

/**
 * Creates the driver of a storage in Durable Objects. Changes are atomic across all workers, because one object holds a
 * document. Objects push no changes, so the server reads each session again.
 * @throws TypeError for a misspelled option
 */
export function createDurableObjectDriver(options: DurableObjectDriverOptions): AdapterDriver {
  assertOptions("createDurableObjectDriver", options, { namespace: true, base: true });
  const { namespace, base = "" } = options;
  return defineStorageDriver({
    name: "durable-object",
    atomic: "cluster",
    createAdapter: () => createAdapter(namespace as DocumentNamespace, base),
  });
}

/** The state of a Durable Object, as its constructor gets it. */
export interface DocumentState {
  readonly storage: {
    get(slot: Slot): Promise<unknown>;
    put(slot: Slot, entry: Replacement): Promise<void>;
    delete(slot: Slot): Promise<unknown>;
    deleteAll(): Promise<void>;
    getAlarm(): Promise<number | null>;
    setAlarm(time: number): Promise<void>;
    deleteAlarm(): Promise<void>;
  };
}

/**
 * A Durable Object that holds one document until an alarm removes it. Export this class from your worker. It awaits
 * only its own storage, so it runs one operation at a time (input gates), and responds after the write (output gates).
 */
export class StorefrontDocument {
  readonly #storage: DocumentState["storage"];

  constructor({ storage }: DocumentState) {
    this.#storage = storage;
  }

  /** Runs an operation of the driver. */
  async fetch(request: Request): Promise<Response> {
    const operation = (await request.json()) as Operation & { readonly slot: Slot };
    return Response.json((await this.#run(operation.slot, operation)) ?? null);
  }

  /** Removes expired texts, and plans the next alarm. */
  async alarm(): Promise<void> {
    const now = Date.now();
    const entries = await Promise.all(slots.map((slot) => this.#find(slot)));
    const ends = entries.flatMap((entry) => entry?.expiresAt ?? []);
    for (const [index, slot] of slots.entries()) {
      if (hasExpired(entries[index], now)) await this.#storage.delete(slot);
    }
    const next = Math.min(...ends.filter((end) => end > now));
    if (Number.isFinite(next)) return this.#storage.setAlarm(next);
    const isEmpty = entries.every((entry) => entry === undefined || hasExpired(entry, now));
    if (isEmpty) await this.#clear();
  }

  async #run(slot: Slot, operation: Operation): Promise<string | Swap | undefined> {
    const current = await this.#read(slot);
    switch (operation.name) {
      case "read":
        return current;
      case "take":
        if (current !== undefined) await this.#remove(slot);
        return current;
      case "swap": {
        if (!isAsExpected(current, operation.expected)) return { swapped: false, current };
        const { next } = operation;
        if (next !== undefined) await this.#write(slot, next);
        else if (current !== undefined) await this.#remove(slot);
        return { swapped: true };
      }
      case "setAside": {
        const { text } = operation;
        if (current !== text) return { swapped: false, current };
        await this.#write("unreadable", { text, expiresAt: Date.now() + asideSeconds * 1000 });
        await this.#storage.delete(slot);
        return { swapped: true };
      }
    }
  }

  async #read(slot: Slot): Promise<string | undefined> {
    const entry = await this.#find(slot);
    return hasExpired(entry, Date.now()) ? undefined : entry?.text;
  }

  async #find(slot: Slot): Promise<Replacement | undefined> {
    return (await this.#storage.get(slot)) as Replacement | undefined;
  }

  /** An alarm that comes too early plans the next one. So extending a document needs no new alarm. */
  async #write(slot: Slot, entry: Replacement): Promise<void> {
    await this.#storage.put(slot, entry);
    const { expiresAt } = entry;
    if (expiresAt === undefined) return;
    const alarm = await this.#storage.getAlarm();
    if (alarm === null || alarm > expiresAt) await this.#storage.setAlarm(expiresAt);
  }

  async #remove(slot: Slot): Promise<void> {
    const other = await this.#find(slot === "text" ? "unreadable" : "text");
    if (other === undefined) await this.#clear();
    else await this.#storage.delete(slot);
  }

  /** An object without data takes no storage. */
  async #clear(): Promise<void> {
    await this.#storage.deleteAlarm();
    await this.#storage.deleteAll();
  }
}

// --- Internal helpers ---

/** The texts of an object: the document, and the one that was moved aside. */
type Slot = (typeof slots)[number];
const slots = ["text", "unreadable"] as const;

type Operation =
  | { readonly name: "read" | "take" }
  | { readonly name: "swap"; readonly expected: Expected; readonly next?: Replacement | undefined }
  | { readonly name: "setAside"; readonly text: string };

const asideSuffix = ":unreadable";

function createAdapter(namespace: DocumentNamespace, base: string): StorageAdapter {
  return {
    capabilities: { atomic: "cluster", changes: "unheard", ttl: "native" },
    read: async (key) => (await run<string | null>(key, { name: "read" })) ?? undefined,
    take: async (key) => (await run<string | null>(key, { name: "take" })) ?? undefined,
    swap: (key, expected, next) => run<Swap>(key, { name: "swap", expected, next }),
    setAside: (key, text) => run<Swap>(key, { name: "setAside", text }),
    async ping() {
      const current = await run<string | null>(pingKey, { name: "read" });
      const expected: Expected =
        current === null ? { match: "absent", text: "" } : { match: "exact", text: current };
      const next = { text: "1", expiresAt: Date.now() + 60_000 };
      await run(pingKey, { name: "swap", expected, next });
    },
    close: async () => {},
  };

  /** The object's response is JSON, which keeps every string, also one that isn't valid Unicode. */
  async function run<Result>(key: string, operation: Operation): Promise<Result> {
    const isAside = key.endsWith(asideSuffix);
    const name = isAside ? key.slice(0, -asideSuffix.length) : key;
    const slot: Slot = isAside ? "unreadable" : "text";
    const object = namespace.get(namespace.idFromName(base === "" ? name : `${base}:${name}`));
    const body = JSON.stringify({ ...operation, slot });
    const response = await object.fetch("https://document.internal/", { method: "POST", body });
    if (!response.ok) throw new Error(`The Durable Object responded ${response.status}`);
    return (await response.json()) as Result;
  }
}

function hasExpired(entry: Replacement | undefined, now: number): boolean {
  return entry?.expiresAt !== undefined && entry.expiresAt <= now;
}

function isAsExpected(current: string | undefined, { match, text }: Expected): boolean {
  if (current === undefined) return match === "absent";
  if (match === "prefix") return current.startsWith(text);
  return match === "exact" && current === text;
}
