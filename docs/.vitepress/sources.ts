import { createJiti } from "jiti";

const jiti = createJiti(import.meta.url, { fsCache: false });

/**
 * Imports a source of the program: the build has no file for each of them.
 * @param path relative to the repository, with the type of its declaration in the build
 */
export function importSource<Module>(path: string): Promise<Module> {
  return jiti.import<Module>(`../../${path}`);
}
