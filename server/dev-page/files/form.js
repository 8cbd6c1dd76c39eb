import { element } from "./dom.js";

/** Replaces a reference by the schema that it names. */
export function resolve(schema, openApi) {
  let found = schema ?? {};
  for (let depth = 0; typeof found.$ref === "string" && depth < 20; depth++) {
    const keys = found.$ref.split("/").slice(1);
    found = keys.reduce((part, key) => part?.[key], openApi) ?? {};
  }
  return found;
}

/**
 * Creates the fields of a payload from its JSON Schema. A schema that isn't an object, or a part without a simple type, gets a
 * field for JSON.
 * @returns the fields; `read`, which throws SyntaxError with the name of a field that isn't JSON; and `showErrors`
 */
export function createForm(schema, openApi) {
  const object = toObject(resolve(schema, openApi), openApi);
  const fields = Object.entries(object?.properties ?? {}).map(([name, part]) =>
    createField(name, resolve(part, openApi), object.required.includes(name), openApi),
  );
  const whole = createField("payload", { description: "The payload as JSON." }, false, openApi);
  const asJson = element("input", { type: "checkbox", id: "as-json", onchange: switchMode });
  const simple = element(
    "div",
    {},
    fields.map(({ node }) => node),
  );
  const isSimple = object !== undefined;
  asJson.checked = !isSimple;

  function switchMode() {
    if (asJson.checked && isSimple) whole.write(tryRead(() => readFields(fields)));
    show();
  }

  function show() {
    simple.hidden = asJson.checked;
    whole.node.hidden = !asJson.checked;
  }

  show();
  return {
    node: element(
      "div",
      {},
      isSimple
        ? element(
            "p",
            {},
            asJson,
            " ",
            element("label", { for: "as-json" }, "Write the payload as JSON"),
          )
        : undefined,
      simple,
      whole.node,
    ),
    read: () => (asJson.checked ? whole.read() : readFields(fields)),
    showErrors(errors) {
      for (const field of [...fields, whole]) {
        const own = errors.filter(({ path }) => asJson.checked || String(path[0]) === field.name);
        field.showError(own.map(({ path, message }) => describeError(path, message)).join(". "));
      }
    },
  };
}

function describeError(path, message) {
  return path.length > 1 ? `${path.slice(1).join(".")}: ${message}` : message;
}

function readFields(fields) {
  const entries = fields.map(({ name, read }) => [name, read()]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function tryRead(read) {
  try {
    return read();
  } catch {
    return {};
  }
}

/** The schema as one object: of alternatives, all their properties. `undefined` if it isn't an object. */
function toObject(schema, openApi) {
  const options = listAlternatives(schema, openApi);
  if (options.length === 0 || options.some(({ properties }) => properties === undefined)) {
    return undefined;
  }
  const [{ required: first = [] }] = options;
  return {
    properties: Object.assign({}, ...options.map(({ properties }) => properties)),
    required: first.filter((name) => options.every(({ required = [] }) => required.includes(name))),
  };
}

/** The alternatives of a schema, and theirs. Each reference counts once, because schemas can contain each other. */
function listAlternatives(schema, openApi, known = new Set()) {
  const options = schema.properties === undefined ? (schema.anyOf ?? schema.oneOf) : undefined;
  if (options === undefined) return [schema];
  return options.flatMap((option) => {
    const { $ref: reference } = option;
    if (known.has(reference)) return [];
    if (reference !== undefined) known.add(reference);
    return listAlternatives(resolve(option, openApi), openApi, known);
  });
}

/** One field of the form, with its label, its description, and an element for its error. */
function createField(name, schema, isRequired, openApi) {
  const id = `field-${name}`;
  const types = listTypes(schema, openApi);
  const isText = types.length > 0 && types.every((type) => scalars.includes(type));
  const isSecret = schema.writeOnly === true;
  const choices = schema.enum ?? (types.join() === "boolean" ? [true, false] : undefined);
  const common = { id, name, "aria-describedby": `${id}-about ${id}-error`, autocomplete: "off" };
  let input;
  if (choices !== undefined) {
    const options = choices.map((value) =>
      element("option", { value: JSON.stringify(value) }, String(value)),
    );
    input = element("select", common, element("option", { value: "" }, "(left out)"), options);
  } else if (isText) {
    const type = isSecret ? "password" : "text";
    const inputmode = types.every((each) => each !== "string") ? "decimal" : undefined;
    input = element("input", { ...common, type, inputmode, spellcheck: "false" });
  } else {
    input = element("textarea", { ...common, rows: "4", spellcheck: "false" });
  }
  if (isSecret) input.setAttribute("autocomplete", "new-password");
  const error = element("span", { id: `${id}-error`, class: "error" });
  const about = element("span", { id: `${id}-about`, class: "about" }, describe(schema, types));
  const label = element("label", { for: id }, name, isRequired ? " (required)" : "");

  return {
    name,
    node: element("div", { class: "field" }, label, input, about, error),
    read: () => parse(input.value, { name, types, isText, hasChoices: choices !== undefined }),
    write(value) {
      input.value = JSON.stringify(value, undefined, 2);
    },
    showError(text) {
      error.textContent = text;
      input.setAttribute("aria-invalid", String(text !== ""));
    },
  };
}

const scalars = ["string", "integer", "number", "null"];

function listTypes(schema, openApi) {
  const types = listAlternatives(schema, openApi).flatMap(({ type }) => type ?? []);
  return [...new Set(types)];
}

/** An empty field is left out of the payload. */
function parse(text, { name, types, isText, hasChoices }) {
  if (text === "") return undefined;
  const isNumber = types.some((type) => ["integer", "number"].includes(type));
  if (isText && !hasChoices) {
    return isNumber && /^-?\d+(?:\.\d+)?$/.test(text.trim()) ? Number(text) : text;
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(`The field ${name} is not JSON`, { cause });
  }
}

/** Whether a limit is only that of JavaScript's numbers. */
function isLarge(limit) {
  return Math.abs(limit) >= Number.MAX_SAFE_INTEGER;
}

/** The type and the limits of a field, in one line. */
function describe(schema, types) {
  const { description, format, minLength, maxLength, minimum, maximum, pattern } = schema;
  const limits = [
    types.length > 0 ? types.join(" or ") : "JSON",
    format,
    minLength !== undefined && `${minLength} characters or more`,
    maxLength !== undefined && `${maxLength} characters or fewer`,
    minimum !== undefined && !isLarge(minimum) && `${minimum} or more`,
    maximum !== undefined && !isLarge(maximum) && `${maximum} or less`,
    pattern !== undefined && format === undefined && `matches ${pattern}`,
  ];
  return [limits.filter(Boolean).join(", "), description].filter(Boolean).join(". ");
}
