import { describeFound } from "../config-error.ts";
import type { FindingCode, Report } from "../diagnostics.ts";
import { placeOf, reportSetting, type Subject } from "./rule.ts";
import type { Setting } from "../layers.ts";
import { isWeakSecret } from "../weak-secret.ts";

/** Secrets are there, long, hard to guess, and each is used for one thing. */
export function secretRule({ settings: { server, shops } }: Subject, report: Report): void {
  const { token } = server.admin;
  reportTexts("SF103", token, "admin.token", isWeakSecret);
  const realms = new Map<string, string>();
  for (const { shop, session } of shops) {
    const { secret, encryptionKeys } = session;
    if (secret.value === undefined) reportSetting(report, "SF101", ["session", session, "secret"]);
    reportTexts("SF102", secret, "session.secret", (text) => text.length < 32);
    reportTexts("SF103", secret, "session.secret", isWeakSecret);
    const secrets = toTexts(secret);
    if (encryptionKeys.isWritten) {
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

  /** Reports those of one or several secrets that something is the matter with. */
  function reportTexts(
    code: FindingCode,
    setting: Setting,
    path: string,
    isAtFault: (text: string) => boolean,
  ): void {
    const place = placeOf(setting, path);
    for (const [index, text] of toTexts(setting).entries()) {
      const at = Array.isArray(setting.value) ? `${place}[${index}]` : place;
      if (isAtFault(text)) report(code, at, describeFound(text, undefined));
    }
  }
}

// --- Internal helpers ---

/** The secrets of a setting; in a list, an empty text stands for what is none. */
function toTexts({ value }: Setting): string[] {
  const texts = value === undefined ? [] : [value].flat();
  return texts.map((text) => (typeof text === "string" ? text : ""));
}
