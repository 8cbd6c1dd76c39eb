import type { Diagnostic } from "../diagnostics.ts";
import type { SourcedValue } from "../keys/config-key.ts";
import { isWeakSecret } from "../weak-secret.ts";
import type { RuleContext } from "./rule.ts";

/** Secrets are set, long, and hard to guess. Each is used for one purpose. */
export function secretRule({ config, environment, report }: RuleContext): void {
  const { shops } = config;
  const tokens = [config.admin.token, config.devPage.token];
  for (const token of tokens) reportTexts("SF103", token, isWeakSecret);
  const realms = new Map<string, string>();
  for (const { shop, session } of shops) {
    const { secret, encryptionKeys } = session;
    if (secret.value === undefined && environment.developmentData === undefined) {
      report(environment.isWorker ? "SF107" : "SF101", secret);
    }
    reportTexts("SF102", secret, (text) => text.length < 32);
    reportTexts("SF103", secret, isWeakSecret);
    const secrets = toTexts(secret);
    if (encryptionKeys.isSet) {
      reportTexts("SF103", encryptionKeys, isWeakSecret);
      reportTexts("SF106", encryptionKeys, (key) => secrets.includes(key));
    }
    const known = [...secrets, ...toTexts(encryptionKeys)];
    for (const token of tokens) reportTexts("SF105", token, (text) => known.includes(text));
    const isShared = (text: string) => (realms.get(text) ?? shop.realm.value) !== shop.realm.value;
    reportTexts("SF104", secret, isShared);
    for (const text of secrets) realms.set(text, shop.realm.value);
  }

  /** Reports each secret of a key for which `isInvalid` is true. */
  function reportTexts(
    code: Diagnostic["code"],
    key: SourcedValue,
    isInvalid: (text: string) => boolean,
  ): void {
    for (const [index, value] of toTexts(key).entries()) {
      const path = Array.isArray(key.value) ? `${key.path}[${index}]` : key.path;
      if (isInvalid(value)) report(code, { path, value });
    }
  }
}

// --- Internal helpers ---

/** The secrets of a key. In a list, an empty string replaces an invalid one. */
function toTexts({ value }: SourcedValue): string[] {
  const texts = value === undefined ? [] : [value].flat();
  return texts.map((text) => (typeof text === "string" ? text : ""));
}
