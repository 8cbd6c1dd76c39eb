import type { RuleContext } from "./rule.ts";

/** Each shop has its customer accounts from one source, and its other settings can take effect there. */
export function commerceRule({ config, report }: RuleContext): void {
  const { auth, commerce, mailer } = config.top;
  if (auth.value !== undefined && commerce.value?.accounts !== undefined) report("SF007", auth);
  if (mailer.value !== undefined && !hasBuiltinAccounts(config)) report("SF008", mailer);
  for (const { shop, basket } of config.shops) {
    const isJoined = shop.commerce.value?.baskets?.joinsAtLogin === true;
    if (isJoined && basket.mergeStrategy.value !== "merge") report("SF009", basket.mergeStrategy);
  }
}

/** Whether a shop has the built-in accounts. */
export function hasBuiltinAccounts({ top, shops }: RuleContext["config"]): boolean {
  if (top.auth.value !== undefined) return false;
  return shops.some(({ shop }) => shop.commerce.value?.accounts === undefined);
}
