import type { DefaultTheme } from "vitepress";
import type { Page } from "./pages.ts";

/** The groups of the sidebar, with the pages of each. */
const groups: Readonly<Record<string, readonly string[]>> = {
  Start: ["index", "getting-started", "init", "tutorial", "concepts", "overview"],
  "Frontends and methods": [
    "client",
    "rpc",
    "cache",
    "idempotency",
    "ssr",
    "openapi",
    "testing",
    "dev-page",
  ],
  "Visitors and accounts": ["sessions", "accounts", "cors", "security"],
  "Commerce systems": ["commerce", "commerce-adapter"],
  "Servers and storage": [
    "storage",
    "mounting",
    "runtimes",
    "proxies",
    "operations",
    "telemetry",
    "speed",
    "adapters",
  ],
  Reference: ["config", "errors", "doctor", "dependencies"],
  Project: ["changelog", "releases", "contributing", "fuzzing", "bench/RESULTS", "LICENSE"],
};

/** The sidebar of all pages. New documents appear in the last group until they have a group of their own. */
export function createSidebar(pages: readonly Page[]): DefaultTheme.SidebarItem[] {
  const titles = new Map(pages.map(({ path, title }) => [path.replace(/\.md$/, ""), title]));
  const toItem = (name: string) => {
    const text = name === "overview" ? "README" : (titles.get(name) ?? name);
    return { text, link: `/${name}` };
  };
  const named = new Set(Object.values(groups).flat());
  const others = [...titles.keys()].filter((name) => !named.has(name) && !/[/.]/.test(name));
  const examples = [...titles.keys()].filter((name) => /^examples\/[^/]+\/index$/.test(name));
  const entries = [...titles.keys()].filter((name) => /^api\/(?:[^/]+\/){0,2}index$/.test(name));
  return [
    ...Object.entries(groups).map(([text, names]) => ({
      text,
      items: names.filter((name) => titles.has(name)).map(toItem),
    })),
    { text: "API reference", items: entries.map(toItem) },
    { text: "Examples", items: examples.map(toItem) },
    ...(others.length === 0 ? [] : [{ text: "More", items: others.map(toItem) }]),
  ];
}
