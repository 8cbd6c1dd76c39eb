// How typedoc reads the public entries, which package.json lists, and writes the API reference.
import { readFileSync } from "node:fs";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const sources = Object.entries(manifest.exports).map(([name, file]) => [
  name.replace(/^\./, manifest.name),
  file.replace("./dist/", "").replace(/\.js$/, ".ts"),
]);

export default {
  entryPoints: sources.map(([, source]) => `../${source}`),
  tsconfig: "../tsconfig.json",
  // Names each entry as importers do.
  compilerOptions: {
    paths: Object.fromEntries(sources.map(([name, source]) => [name, [`../${source}`]])),
  },
  plugin: ["typedoc-plugin-markdown"],
  out: ".vitepress/api",
  router: "member",
  readme: "none",
  // The frameworks of the adapters aren't installed here.
  skipErrorChecking: true,
  // Types of functions inside are named, but have no page.
  validation: { notExported: false },
  disableSources: true,
  excludeExternals: true,
  excludePrivate: true,
  excludeInternal: true,
  hidePageHeader: true,
  hideBreadcrumbs: true,
  useCodeBlocks: true,
  parametersFormat: "table",
  interfacePropertiesFormat: "table",
};
