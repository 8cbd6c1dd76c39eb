import type { RuleContext } from "./rule.ts";

/** The settings of a shop can take effect in its commerce system. */
export function commerceRule({ config, report }: RuleContext): void {
  for (const { shop, basket } of config.shops) {
    const isJoined = shop.commerce.value?.baskets?.joinsAtLogin === true;
    if (isJoined && basket.mergeStrategy.value !== "merge") report("SF009", basket.mergeStrategy);
  }
}
