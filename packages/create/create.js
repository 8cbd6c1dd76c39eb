#!/usr/bin/env node
// `npm create storefront-core` is `storefront-core init`.
process.argv.splice(2, 0, "init");
await import(new URL("cli/cli.js", import.meta.resolve("storefront-core")).href);
