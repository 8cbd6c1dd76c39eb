import { describeValue } from "../describe-value.ts";
import type { Diagnostic, Report } from "../diagnostics.ts";
import { pathOf, reportKey, type RuleContext } from "./rule.ts";
import type { SourcedValue } from "../layers.ts";
import { isWeakSecret } from "../weak-secret.ts";

/** Secrets are set, long, and hard to guess. Each is used for one purpose. */
export function secretRule({ config: { admin, shops } }: RuleContext, report: Report): void {
  const { token } = admin;
  reportTexts("SF103", token, "admin.token", isWeakSecret);
  const realms = new Map<string, string>();
  for (const { shop, session } of shops) {
    const { secret, encryptionKeys } = session;
    if (secret.value === undefined) reportKey(report, "SF101", ["session", session, "secret"]);
    reportTexts("SF102", secret, "session.secret", (text) => text.length < 32);
    reportTexts("SF103", secret, "session.secret", isWeakSecret);
    const secrets = toTexts(secret);
    if (encryptionKeys.isSet) {
      reportTexts("SF103", encryptionKeys, "session.encryptionKeys", isWeakSecret);
      reportTexts("SF106", encryptionKeys, "session.encryptionKeys", (key) =>
        secrets.includes(key),
      );
    }
    const known = [...secrets, ...toTexts(encryptionKeys)];
    reportTexts("SF105", token, "admin.token", (text) => known.includes(text));
    const isShared = (text: string) => (realms.get(text) ?? shop.realm.value) !== shop.realm.value;
    reportTexts("SF104", secret, "session.secret", isShared);
    for (const text of secrets) realms.set(text, shop.realm.value);
  }

  /** Reports each secret of a key for which `isInvalid` is true. */
  function reportTexts(
    code: Diagnostic["code"],
    sourced: SourcedValue,
    path: string,
    isInvalid: (text: string) => boolean,
  ): void {
    const base = pathOf(sourced, path);
    for (const [index, text] of toTexts(sourced).entries()) {
      const at = Array.isArray(sourced.value) ? `${base}[${index}]` : base;
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
