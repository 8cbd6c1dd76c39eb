import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");

test("docs/operations.md has a next step for each alert, and names panels of the dashboard", () => {
  const [, section = ""] = read("operations.md").split("### Respond to an alert");
  const rows = [...section.matchAll(/^\| `(Storefront\w+)` \| .+ \| (.+) \|$/gm)];
  const alerts = [...read("prometheus-alerts.yaml").matchAll(/- alert: (\w+)/g)];
  expect(rows.map(([, alert]) => alert)).toEqual(alerts.map(([, alert]) => alert));
  const titles = (JSON.parse(read("grafana-dashboard.json")) as Dashboard).panels.map(({ title }) =>
    title.replace(/, p99$/, ""),
  );
  const named = rows.flatMap(([, , text = ""]) => [...text.matchAll(/"([A-Z][^"]+)"/g)]);
  expect(named.length).toBeGreaterThan(3);
  for (const [, title] of named) expect(titles).toContain(title);
});

interface Dashboard {
  readonly panels: readonly { readonly title: string }[];
}
