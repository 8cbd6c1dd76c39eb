// The parts of Nuxt that adapters/nuxt.ts uses. Nuxt itself is installed by those who use it.
declare module "nuxt/schema" {
  export interface NuxtModule<Options> {
    (options: Options, nuxt: Nuxt): unknown;
  }
  export interface Nuxt {
    readonly options: {
      readonly rootDir: string;
      /** Whether it is `nuxt dev`. */
      readonly dev: boolean;
      readonly build: { transpile: unknown[] };
      readonly nitro: { externals?: { inline?: ((id: string) => boolean)[] } };
    };
    hook(name: "modules:done", callback: () => void): unknown;
  }
}

declare module "nuxt/kit" {
  import type { Nuxt, NuxtModule } from "nuxt/schema";

  interface Template {
    readonly filename: string;
    readonly write?: boolean;
    readonly getContents: () => string;
  }
  export function defineNuxtModule<Options>(definition: {
    readonly meta: {
      readonly name: string;
      readonly configKey: string;
      readonly compatibility: { readonly nuxt: string };
    };
    setup(options: Options, nuxt: Nuxt): void | Promise<void>;
  }): NuxtModule<Options>;
  export function addImports(imports: { readonly name: string; readonly from: string }): void;
  export function addPluginTemplate(template: Template & { readonly mode: "server" }): unknown;
  export function addServerHandler(handler: {
    readonly middleware: true;
    readonly handler: string;
  }): void;
  export function addServerPlugin(plugin: string): void;
  export function addTemplate(template: Template): { readonly dst: string };
  export function addTypeTemplate(
    template: Template,
    context: { readonly nuxt: true; readonly nitro: true },
  ): unknown;
  export function findPath(path: string): Promise<string | null>;
}
