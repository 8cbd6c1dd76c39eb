/** A storage failed. A change can have been stored or not. */
export class StorageUnavailableError extends Error {
  override readonly name = "StorageUnavailableError";
}

/** The storage did not respond in time. This is the cause of a {@link StorageUnavailableError}. */
export class StorageTimeoutError extends Error {
  override readonly name = "StorageTimeoutError";
}

/** Whether an operation failed because the storage did not respond in time. */
export function isTimeout(error: unknown): boolean {
  return error instanceof StorageUnavailableError && error.cause instanceof StorageTimeoutError;
}
