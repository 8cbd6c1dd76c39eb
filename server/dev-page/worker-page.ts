/** A worker has no development page, so its bundle contains no code for it. */
export function createDevPage(_source: object): readonly never[] {
  return [];
}
