/** A page about one code. */
export interface CodePage {
  readonly code: string;
  readonly path: string;
  readonly title: string;
  readonly text: string;
}

/** Lets Markdown show a text as it is. */
export function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\*_<>[\]]/g, "\\$&");
}
