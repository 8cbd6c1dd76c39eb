/** Whether a secret has 32 characters or more, but is easy to guess. */
export function isWeakSecret(text: string): boolean {
  if (text.length < 32) return false;
  // The comparison of a large file with itself takes long, and this part is enough.
  if (text.length > looked) return isWeakSecret(text.slice(0, looked));
  const hasFewCharacters = new Set(text).size < 8;
  return hasFewCharacters || isRepetition(text) || isRun(text) || words.test(text);
}

// --- Internal helpers ---

const mostly = 0.8;
const looked = 1024;

/** Only words of examples and code, with nothing random between them. */
const words = new RegExp(
  `^(?=.*[a-z])(?:${[
    "(?:change|replace)(?:[ _-]?me)?",
    "current|default|dev|development|test|testing|example|production|staging|local",
    "secret|session|cookie|token|admin|key|password|passwort|signing|encryption",
    "keyboard|cat|shop|store|storefront|core|app|server|my|our|your|super|very|long|strong|safe",
    "please|this|that|is|in|it|an?|the|to|for|not?|so|foo|bar|baz|lorem|ipsum",
    "qwerty(?:uiop)?|asdf(?:ghjkl)?|zxcv(?:bnm)?|letmein|welcome|hello|world|login|user|root",
    "some|random|string|value|here|put|insert|placeholder|sample|demo|prod|jwt|auth|hash|salt",
    "at|least|with|must|be|chars?|characters?|minimum|use|own|complex|insecure",
    "correct|horse|battery|staple",
    "[^a-z]",
  ].join("|")})+$`,
  "i",
);

/** Whether a text is mostly one repeated part. */
function isRepetition(text: string): boolean {
  const lengths = Array.from({ length: text.length / 2 }, (_, index) => index + 1);
  return lengths.some((length) => {
    const later = text.slice(length).split("");
    const same = later.filter((character, index) => character === text[index]).length;
    return same >= later.length * mostly;
  });
}

/** Whether most characters follow each other in the alphabet, as in `abcdef` or `987654`. */
function isRun(text: string): boolean {
  const codes = [...text].map((character) => character.charCodeAt(0));
  const steps = codes.slice(1).map((code, index) => Math.abs(code - (codes[index] ?? 0)));
  return steps.filter((step) => step <= 1).length >= steps.length * mostly;
}
