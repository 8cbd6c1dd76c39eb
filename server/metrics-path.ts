/** The path of the metrics, on each port that serves them. */
export const metricsPath = "/metrics";
