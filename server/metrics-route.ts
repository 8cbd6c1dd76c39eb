import type { StorefrontOptions } from "./config/options.ts";
import { metricsPath } from "../shared/own-paths.ts";
import type { Metrics } from "./metrics.ts";
import { createOperatorCheck } from "./operator.ts";
import type { PlainRoute } from "./router.ts";

/** Creates `GET /metrics` with the admin token, if the config has metrics and a token. */
export function createMetricsRoute(
  options: StorefrontOptions,
  metrics: Metrics | undefined,
): PlainRoute[] {
  if (metrics === undefined || options.adminTokens.length === 0) return [];
  const assertOperator = createOperatorCheck(options);
  const headers = { "content-type": metrics.source.contentType, "cache-control": "no-store" };
  return [
    {
      path: metricsPath,
      async answer(event) {
        event.assertVerb("GET, HEAD");
        assertOperator(event, "metrics");
        return new Response(await metrics.format(), { statusText: "OK", headers });
      },
    },
  ];
}
