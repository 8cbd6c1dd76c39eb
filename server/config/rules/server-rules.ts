import type { Report } from "../diagnostics.ts";
import type { ServerOptions } from "../options.ts";
import { reportSetting, type Subject } from "./rule.ts";
import { toValues, type Settings } from "../layers.ts";
import { isEverybody } from "../../trusted-proxies.ts";

/** The server believes those it should, and bounds what it takes. */
export function serverRule({ settings }: Subject, report: Report): void {
  const { server, loginAttempts, admin, http } = settings.server;
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
  checkHttp(http, report);
}

// --- Internal helpers ---

const megabyte = 1_000_000;

function checkHttp(http: Settings<ServerOptions>, report: Report): void {
  const { keepAliveTimeout, headersTimeout, requestTimeout, drainDelay, drainTimeout } =
    toValues(http);
  if (keepAliveTimeout <= 60) reportSetting(report, "SF607", ["server", http, "keepAliveTimeout"]);
  if (drainDelay + drainTimeout > 30) {
    const key = http.drainTimeout.isWritten ? "drainTimeout" : "drainDelay";
    reportSetting(report, "SF608", ["server", http, key]);
  }
  if (headersTimeout > requestTimeout) {
    const key = http.headersTimeout.isWritten ? "headersTimeout" : "requestTimeout";
    reportSetting(report, "SF609", ["server", http, key]);
  }
}
