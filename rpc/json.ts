/** An answer as the text that is sent, which is made once for all calls that give it. */
export class Json<T> {
  readonly text: string;

  constructor(value: T) {
    this.text = JSON.stringify(value);
  }

  /** A value of one's own, as it is read from the text. */
  parse(): T {
    return JSON.parse(this.text) as T;
  }
}
