/** A result as JSON text, ready to send. */
export class Json<T> {
  readonly text: string;

  /** @param text JSON of a `T` */
  constructor(text: string) {
    this.text = text;
  }

  static of<T>(value: T): Json<T> {
    return new Json<T>(JSON.stringify(value));
  }

  /** A value of one's own, as it is read from the text. */
  parse(): T {
    return JSON.parse(this.text) as T;
  }
}
