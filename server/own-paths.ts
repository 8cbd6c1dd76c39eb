/** The path of the metrics, on each port that serves them. */
export const metricsPath = "/metrics";

/** The path of the development page. Its files and its data are below. The links in `page.html` name it, too. */
export const devPagePath = "/_storefront";
