import type { RuleContext } from "./rule.ts";

/** Each shop has its customer accounts from one source. */
export function accountRule({ config: { top }, report }: RuleContext): void {
  const isTwofold = top.auth.value !== undefined && top.commerce.value?.accounts !== undefined;
  if (isTwofold) report("SF007", top.auth);
}
