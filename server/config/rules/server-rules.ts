import type { Report } from "../diagnostics.ts";
import type { ServerOptions } from "../options.ts";
import { reportKey, type RuleContext } from "./rule.ts";
import { toValues, type Sourced } from "../layers.ts";
import { isEveryAddress } from "../proxy-ranges.ts";

/** The server trusts only its proxies, and its limits are safe. */
export function serverRule({ config }: RuleContext, report: Report): void {
  const { top, loginAttempts, admin, server } = config;
  const { trustProxy, maxBodySize, callTimeout } = toValues(top);
  const trustsEveryPeer =
    trustProxy === true || (trustProxy !== false && trustProxy.some(isEveryAddress));
  if (trustsEveryPeer) reportKey(report, "SF601", ["", top, "trustProxy"]);
  const isAuto = config.shops.some(({ session }) => session.secure.value === "auto");
  if (trustProxy === false && isAuto) {
    reportKey(report, "SF602", ["", top, "trustProxy"]);
  }
  if (loginAttempts.perAccount.value === undefined) report("SF603", "loginAttempts", "false");
  if (maxBodySize > megabyte) reportKey(report, "SF604", ["", top, "maxBodySize"]);
  if (callTimeout > 60) reportKey(report, "SF605", ["", top, "callTimeout"]);
  if (admin.token.value === undefined) reportKey(report, "SF606", ["admin", admin, "token"]);
  checkHttp(server, report);
}

// --- Internal helpers ---

const megabyte = 1_000_000;

function checkHttp(http: Sourced<ServerOptions>, report: Report): void {
  const { keepAliveTimeout, headersTimeout, requestTimeout, drainDelay, drainTimeout } =
    toValues(http);
  if (keepAliveTimeout <= 60) reportKey(report, "SF607", ["server", http, "keepAliveTimeout"]);
  if (drainDelay + drainTimeout > 30) {
    const key = http.drainTimeout.isSet ? "drainTimeout" : "drainDelay";
    reportKey(report, "SF608", ["server", http, key]);
  }
  if (headersTimeout > requestTimeout) {
    const key = http.headersTimeout.isSet ? "headersTimeout" : "requestTimeout";
    reportKey(report, "SF609", ["server", http, key]);
  }
}
