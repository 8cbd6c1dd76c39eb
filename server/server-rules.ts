import type { Report } from "./findings.ts";
import { reportSetting, type Subject } from "./rule.ts";
import { toValues } from "./settings.ts";
import { isEverybody } from "./trusted-proxies.ts";

/** The server believes those it should, and bounds what it takes. */
export function serverRule({ settings }: Subject, report: Report): void {
  const { server, loginAttempts, admin } = settings.server;
  const { trustProxy, maxBodySize, callTimeout } = toValues(server);
  const trustsEverybody =
    trustProxy === true || (trustProxy !== false && trustProxy.some(isEverybody));
  if (trustsEverybody) reportSetting(report, "SF601", ["", server, "trustProxy"]);
  const isAuto = settings.shops.some(({ session }) => session.secure.value === "auto");
  if (trustProxy === false && isAuto) {
    reportSetting(report, "SF602", ["", server, "trustProxy"]);
  }
  if (loginAttempts.perAccount.value === undefined) report("SF603", "loginAttempts", "false");
  if (maxBodySize > megabyte) reportSetting(report, "SF604", ["", server, "maxBodySize"]);
  if (callTimeout > 60) reportSetting(report, "SF605", ["", server, "callTimeout"]);
  if (admin.token.value === undefined) reportSetting(report, "SF606", ["admin", admin, "token"]);
}

// --- Internal helpers ---

const megabyte = 1_000_000;
