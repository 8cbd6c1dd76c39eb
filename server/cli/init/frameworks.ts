/** A kind of project, with the example whose files it starts with. */
export interface Framework {
  /** Its folder in `examples`. */
  readonly example: string;
  /** Scripts that the example doesn't have, or that it has for another folder. */
  readonly scripts: Readonly<Record<string, string>>;
  /** The packages that the example has from this repository. */
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
  /** The address of the page with `npm run dev`. */
  readonly url: string;
}

/** Tools that check every project. */
export const checks = ["oxlint", "vitest"];

export const frameworks = {
  none: {
    example: "vite",
    scripts: { dev: "vite", build: "vite build", start: "storefront start", typecheck: "tsc" },
    dependencies: ["zod"],
    devDependencies: ["@types/node", "typescript", "vite"],
    url: "http://localhost:5173",
  },
  nuxt: {
    example: "nuxt",
    scripts: {
      // The tests need the files that Nuxt generates, too.
      postinstall: "nuxt prepare",
      start: "node --env-file=.env .output/server/index.mjs",
    },
    dependencies: [],
    devDependencies: [],
    url: "http://localhost:3000",
  },
  next: {
    example: "next",
    scripts: { typecheck: "next typegen && tsc" },
    dependencies: [],
    devDependencies: [],
    url: "http://localhost:3000",
  },
  sveltekit: {
    example: "sveltekit",
    scripts: {
      start: "node --env-file=.env build",
      typecheck: "svelte-kit sync && svelte-check",
    },
    dependencies: [],
    devDependencies: [],
    url: "http://localhost:5173",
  },
} as const satisfies Record<string, Framework>;
