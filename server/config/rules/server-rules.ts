import type { RuleContext } from "./rule.ts";
import { toValues } from "../merge-config.ts";
import { isEveryAddress } from "../proxy-ranges.ts";

/** The server trusts only its proxies, and its limits are safe. */
export function serverRule({ config, report }: RuleContext): void {
  const { top, loginAttempts, admin, server } = config;
  const { trustProxy, maxBodySize, callTimeout, telemetry } = toValues(top);
  const trustsEveryPeer =
    trustProxy === true || (trustProxy !== false && trustProxy.some(isEveryAddress));
  if (trustsEveryPeer) report("SF601", top.trustProxy);
  const isAuto = config.shops.some(({ session }) => session.secure.value === "auto");
  if (trustProxy === false && isAuto) {
    report("SF602", top.trustProxy);
  }
  if (loginAttempts.perAccount.value === undefined)
    report("SF603", { path: "loginAttempts", value: false });
  const isLimited = loginAttempts.perAddress.value !== undefined;
  if (isLimited && top.clientAddress.value === undefined) report("SF610", top.clientAddress);
  if (maxBodySize > megabyte) report("SF604", top.maxBodySize);
  if (callTimeout > 60) report("SF605", top.callTimeout);
  if (admin.token.value === undefined) report("SF606", admin.token);
  const isUnreadable = telemetry.some(({ metrics }) => metrics && metrics.port === undefined);
  if (isUnreadable && admin.token.value === undefined) report("SF611", top.telemetry);
  if (config.devPage.token.isSet) report("SF612", config.devPage.token);
  const { keepAliveTimeout, headersTimeout, requestTimeout, drainDelay, drainTimeout } = server;
  if (keepAliveTimeout.value <= 60) report("SF607", keepAliveTimeout);
  if (drainDelay.value + drainTimeout.value > 30) {
    report("SF608", drainTimeout.isSet ? drainTimeout : drainDelay);
  }
  if (headersTimeout.value > requestTimeout.value) {
    report("SF609", headersTimeout.isSet ? headersTimeout : requestTimeout);
  }
}

// --- Internal helpers ---

const megabyte = 1_000_000;
