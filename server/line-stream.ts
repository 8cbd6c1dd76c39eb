/** The part of a stream of the process that a log needs. */
export interface LineTarget {
  /** The number of bytes that wait for the reader. */
  readonly writableLength: number;
  write(text: string, written: (error?: Error | null) => void): unknown;
}

/**
 * Writes lines to a stream and never throws. A line is dropped if the stream fails (`EPIPE`, a full disk), or if
 * its reader is so slow that a megabyte waits. Once the stream works again, it gets a line with their number.
 */
export class LineStream {
  readonly #target: LineTarget;
  readonly #describe: (count: number) => string;
  #dropped = 0;

  /** @param describe creates the line with the number of dropped lines */
  constructor(target: LineTarget, describe: (count: number) => string) {
    this.#target = target;
    this.#describe = describe;
  }

  write(line: string): void {
    if (this.#target.writableLength > maxWaiting) this.#dropped++;
    else this.#tryWrite(line, 1);
  }

  /** @param count the number of lines that are lost if this write fails */
  #tryWrite(line: string, count: number): void {
    try {
      this.#target.write(line, (error) => {
        if (error) this.#dropped += count;
        else this.#reportDropped();
      });
    } catch {
      // A write to a file on a full disk throws.
      this.#dropped += count;
    }
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    const count = this.#dropped;
    this.#dropped = 0;
    this.#tryWrite(this.#describe(count), count);
  }
}

// --- Internal helpers ---

/** Bytes. */
const maxWaiting = 1_000_000;
