import { defineConfig } from "vitepress";
import { markdown } from "./markdown.ts";
import { pagesFolder, writePages } from "./pages.ts";
import { createSidebar } from "./sidebar.ts";
import { writeTextPages } from "./text-pages.ts";

const description =
  "The server between shop frontends and commerce systems: typed RPC methods and a session per visitor and shop";
const pages = writePages();

export default defineConfig({
  title: "Storefront Core",
  description,
  lang: "en-US",
  srcDir: pagesFolder,
  markdown,
  ignoreDeadLinks: "localhostLinks",
  // A reader opens few of the pages that a page links to.
  router: { prefetchLinks: false },
  themeConfig: {
    nav: [
      { text: "Tutorial", link: "/tutorial" },
      { text: "Methods", link: "/rpc" },
      { text: "Config", link: "/config" },
      { text: "API", link: "/api/" },
      { text: "Errors", link: "/errors" },
      { text: "Findings", link: "/doctor" },
    ],
    sidebar: createSidebar(pages),
    outline: { level: [2, 3] },
    search: {
      provider: "local",
      options: {
        // The search leaves out pages that show a file of an example.
        _render: (text, env, md) =>
          /\.\w+\.md$/.test(env.relativePath) ? "" : md.render(text, env),
      },
    },
  },
  transformHead: ({ page }) => [
    ["link", { rel: "alternate", type: "text/markdown", href: `/${page}` }],
  ],
  // Browsers load the index of the search, the largest file, when a reader searches.
  vite: { build: { chunkSizeWarningLimit: 2000 } },
  buildEnd({ outDir }) {
    writeTextPages(pages, description, { from: pagesFolder, to: outDir });
  },
});
