/** The storage did not do what it was asked; nothing is known of the outcome. */
export class StorageUnavailableError extends Error {
  override readonly name = "StorageUnavailableError";
}
