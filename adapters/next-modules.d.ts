// The parts of Next.js that adapters/next.ts uses. Next.js itself is installed by those who use it.
declare module "next/headers" {
  export function headers(): Promise<Headers>;
  export function cookies(): Promise<{
    set(name: string, value: string, options: object): unknown;
  }>;
}

declare module "next/navigation" {
  export function redirect(url: string): never;
}

declare module "next/server" {
  export const NextResponse: {
    next(init: { readonly request: { readonly headers: Headers } }): Response;
  };
}
