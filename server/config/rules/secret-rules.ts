import { describeValue } from "../describe-value.ts";
import type { Diagnostic, Report } from "../diagnostics.ts";
import { reportKey, type RuleContext } from "./rule.ts";
import type { SourcedValue } from "../keys/key.ts";
import { isWeakSecret } from "../weak-secret.ts";

/** Secrets are set, long, and hard to guess. Each is used for one purpose. */
export function secretRule({ config: { admin, shops } }: RuleContext, report: Report): void {
  const { token } = admin;
  reportTexts("SF103", token, isWeakSecret);
  const realms = new Map<string, string>();
  for (const { shop, session } of shops) {
    const { secret, encryptionKeys } = session;
    if (secret.value === undefined) reportKey(report, "SF101", session.secret);
    reportTexts("SF102", secret, (text) => text.length < 32);
    reportTexts("SF103", secret, isWeakSecret);
    const secrets = toTexts(secret);
    if (encryptionKeys.isSet) {
      reportTexts("SF103", encryptionKeys, isWeakSecret);
      reportTexts("SF106", encryptionKeys, (key) => secrets.includes(key));
    }
    const known = [...secrets, ...toTexts(encryptionKeys)];
    reportTexts("SF105", token, (text) => known.includes(text));
    const isShared = (text: string) => (realms.get(text) ?? shop.realm.value) !== shop.realm.value;
    reportTexts("SF104", secret, isShared);
    for (const text of secrets) realms.set(text, shop.realm.value);
  }

  /** Reports each secret of a key for which `isInvalid` is true. */
  function reportTexts(
    code: Diagnostic["code"],
    sourced: SourcedValue,
    isInvalid: (text: string) => boolean,
  ): void {
    for (const [index, text] of toTexts(sourced).entries()) {
      const at = Array.isArray(sourced.value) ? `${sourced.path}[${index}]` : sourced.path;
      if (isInvalid(text)) report(code, at, describeValue(text, undefined));
    }
  }
}

// --- Internal helpers ---

/** The secrets of a key. In a list, an empty string stands for an invalid one. */
function toTexts({ value }: SourcedValue): string[] {
  const texts = value === undefined ? [] : [value].flat();
  return texts.map((text) => (typeof text === "string" ? text : ""));
}
