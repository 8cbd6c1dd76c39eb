/** Creates an element. Texts become text nodes, so no value can become markup. */
export function element(tag, attributes = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) created.addEventListener(name.slice(2), value);
    else if (typeof value === "boolean") created.toggleAttribute(name, value);
    else if (value !== undefined) created.setAttribute(name, value);
  }
  created.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return created;
}

/** A value as indented JSON. */
export function json(value) {
  return element("pre", {}, JSON.stringify(value, undefined, 2) ?? "");
}

/** A list of names and values. */
export function facts(entries) {
  const shown = entries.filter(([, value]) => value !== undefined && value !== null);
  return element(
    "dl",
    {},
    shown.map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]).flat(),
  );
}

/** A table with a row of headings. @param caption names it for screen readers */
export function table(caption, headings, rows, className) {
  const cells = (tag, values, attributes) =>
    element(
      "tr",
      {},
      values.map((value) => element(tag, attributes, value)),
    );
  return element(
    "table",
    { class: className },
    element("caption", {}, caption),
    element("thead", {}, cells("th", headings, { scope: "col" })),
    element(
      "tbody",
      {},
      rows.map((row) => cells("td", row)),
    ),
  );
}

/** A part that opens and closes. */
export function fold(summary, ...children) {
  return element("details", {}, element("summary", {}, summary), ...children);
}

/** A time, and how far it is from now. */
export function time(milliseconds) {
  const seconds = Math.round((milliseconds - Date.now()) / 1000);
  const [size, unit] = [
    [86_400, "day"],
    [3600, "hour"],
    [60, "minute"],
    [1, "second"],
  ].find(([length]) => Math.abs(seconds) >= length) ?? [1, "second"];
  const distance = new Intl.RelativeTimeFormat("en").format(Math.trunc(seconds / size), unit);
  const text = new Date(milliseconds).toLocaleString("en-GB", {
    dateStyle: "medium",
    timeStyle: "medium",
  });
  return `${text} (${distance})`;
}
