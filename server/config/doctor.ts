import { waitForStep, waitForStorage } from "./slow-step.ts";
import { createCommerceSystem } from "#commerce";
import type { RpcMethod, RpcMethods } from "../../rpc/method.ts";
import { isInstance, messageOf } from "../../shared/log.ts";
import type { DocumentStore } from "../../storage/documents/documents.ts";
import { openDriver } from "../../storage/open-driver.ts";
import { openDocumentStore } from "../../storage/store.ts";
import { checkConfig } from "./check.ts";
import { findStorages, type ConfiguredStorage } from "./configured-storages.ts";
import { createDiagnostics, diagnosticKinds, type Diagnostic, type Report } from "./diagnostics.ts";
import { isOneOfSeveral } from "./environment.ts";
import { loadDomainRules } from "./hosts.ts";
import type { SourcedConfig, SourcedShop } from "./merge-config.ts";

/** Checks a config for production, and the storages behind it. Errors come first, then warnings, then notices. */
export async function diagnose(config: unknown): Promise<readonly Diagnostic[]> {
  const environment = { production: true, isOneOfSeveral: isOneOfSeveral() };
  const { diagnostics, effective } = checkConfig(config, environment, await loadDomainRules());
  const storages = findStorages(effective).filter(({ driver, config: { getItem } }) => {
    return driver !== undefined || getItem !== undefined;
  });
  const { report, list } = createDiagnostics(environment);
  await Promise.all([
    ...storages.map((storage) => checkStorage(storage, report)),
    ...findSystems(effective).map((shop) => checkSystem(shop, report)),
    checkMethods(effective.top.methods.value, report),
  ]);
  const all = [...diagnostics, ...list()];
  return severities.flatMap((severity) => all.filter((each) => each.severity === severity));
}

/** Formats a paragraph for each diagnostic, and the number of each severity. */
export function describeDiagnosis(diagnostics: readonly Diagnostic[], file: string): string {
  const paragraphs = diagnostics.map((each) =>
    describeFinding(each, diagnosticKinds[each.code].about),
  );
  const counts = severities.map((severity) => {
    const count = diagnostics.filter((each) => each.severity === severity).length;
    return `${count} ${severity}${count === 1 ? "" : "s"}`;
  });
  const heading = `${file}, checked by the rules for production; docs/doctor.md explains each code`;
  return `${heading}\n\n${paragraphs.join("")}${counts.join(", ")}\n`;
}

/** Formats a paragraph for a finding. One about a running service has no path. */
export function describeFinding(
  finding: Omit<Diagnostic, "code" | "path"> & { readonly code: string; readonly path?: string },
  about: string,
): string {
  const { code, severity, path, found, expected } = finding;
  const heading = path === undefined ? `${code} ${severity}` : `${code} ${severity} ${path}`;
  return `${heading}\n  found ${found}, expected ${expected}\n  ${about}\n\n`;
}

// --- Internal helpers ---

const severities = ["error", "warning", "notice"] as const;

/** Opens a storage, reads and writes, and closes it. */
async function checkStorage(storage: ConfiguredStorage, report: Report): Promise<void> {
  const name = storage.driver ?? "a driver object";
  try {
    const store = openDocumentStore(openDriver(storage.config), { log: silent });
    await waitForStorage(store, console);
    try {
      await store.ping();
      const { evictionPolicy, outdated } = await store.inspect();
      if (evictionPolicy !== undefined) report("SF703", storage, { found: evictionPolicy });
      if (outdated !== undefined) report("SF704", storage, { found: outdated });
    } catch (error) {
      const reason = toReason(error);
      if (await canRead(store)) {
        report("SF705", storage, { found: `${name}, which rejects writes${reason}` });
      } else report("SF701", storage, { found: `${name}, without a response${reason}` });
    } finally {
      await store.close();
    }
  } catch (error) {
    report("SF702", storage, { found: `${name}: ${toSafeMessage(error)}` });
  }
}

/** The first shop of each commerce system. */
function findSystems({ shops }: SourcedConfig): readonly SourcedShop[] {
  const first = new Map(shops.toReversed().map((shop) => [shop.shop.commerce.value, shop]));
  return [...first.values()];
}

/** Sends a request to a commerce system, if its adapter says which one. */
async function checkSystem({ shop }: SourcedShop, report: Report): Promise<void> {
  const { commerce } = shop;
  const backend = commerce.value;
  if (backend?.check === undefined) return;
  const { shopId, locale, currency } = shop;
  const checked = { shopId: shopId.value, locale: locale.value, currency: currency.value };
  const system = createCommerceSystem(backend, checked, silent);
  const { signal } = new AbortController();
  try {
    const check = backend.check({
      shop: checked,
      fetch: (input, init) => system.fetch(input, init, signal),
    });
    await waitForStep(`the check of ${backend.name} (SF706)`, console, check);
  } catch (error) {
    const { cause = error } = error as { readonly cause?: unknown };
    report("SF706", commerce, { found: `${backend.name}: ${toSafeMessage(cause)}` });
  } finally {
    system.close();
  }
}

/** Looks for payloads that the OpenAPI document can't describe. */
async function checkMethods(methods: RpcMethods, report: Report): Promise<void> {
  const { findUndescribed } = await import("#openapi");
  for (const [name, method] of Object.entries(methods)) {
    const { input } = (method ?? {}) as Partial<RpcMethod>;
    const found = input && findUndescribed(input);
    if (found === undefined) continue;
    const part = found === "" ? "the whole payload" : `the part ${found}`;
    report("SF707", { path: `methods.${name}.input` }, { found: part });
  }
}

const isAny = (value: unknown): value is unknown => value !== undefined;
const nothing = () => {};
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Whether only writes fail. */
async function canRead(store: DocumentStore): Promise<boolean> {
  const read = store.collection("ping", isAny).get("ping");
  return read.then(
    () => true,
    () => false,
  );
}

/**
 * The error code of Redis or the file system, for example `NOAUTH`, and the address if our own message has one. The
 * rest of another message can contain a secret.
 */
function toReason(error: unknown): string {
  const { cause } = error as { readonly cause?: unknown };
  if (!isInstance(cause, Error)) return "";
  const { code } = cause as { readonly code?: unknown };
  const [, outage] = /^No connection to Redis: (.+)$/.exec(cause.message) ?? [];
  const reply = outage ?? /\b(?!E)[A-Z]{3,}\b/.exec(cause.message)?.[0];
  const found = typeof code === "string" ? code : reply;
  return found === undefined ? "" : ` (${found})`;
}

/** The first line of a message, without the user and password of a URL. */
function toSafeMessage(error: unknown): string {
  const [line = ""] = messageOf(error).split("\n");
  return line.replace(/\/\/[^@\s]*@/g, "//…@");
}
