import { element, fold, json, table } from "./dom.js";
import { createForm, resolve } from "./form.js";

/**
 * Creates the form and the reference of a method.
 * @param openApi the OpenAPI document of the shop
 * @param send gets the visitor's name and the call
 */
export function createMethod(name, openApi, send) {
  const operations = openApi.paths[`/rpc/${name}`];
  const { post } = operations;
  // Every method accepts POST.
  const verbs = [...new Set(["post", ...Object.keys(operations)])].map((verb) =>
    verb.toUpperCase(),
  );
  const body = post.requestBody?.content["application/json"].schema;
  const payload = resolve(body?.properties?.payload, openApi);
  const hasPayload = body?.properties?.payload?.$ref !== undefined;
  const form = hasPayload ? createForm(payload, openApi) : undefined;
  const verb = choose("verb", "HTTP method", verbs);
  const headers = createHeaderFields(post, openApi);
  const error = element("p", { role: "alert", class: "error" });

  async function submit(visitor) {
    error.textContent = "";
    form?.showErrors([]);
    let read;
    try {
      read = form?.read();
    } catch (failure) {
      error.textContent = failure.message;
      return;
    }
    const call = { method: name, verb: verb.value, headers: headers.read() };
    const result = await send(visitor, read === undefined ? call : { ...call, payload: read });
    form?.showErrors(result?.errors ?? []);
  }

  return element(
    "form",
    {
      id: "call",
      novalidate: true,
      autocomplete: "off",
      onsubmit(event) {
        event.preventDefault();
        void submit(event.submitter?.value ?? "A");
      },
    },
    element("p", { class: "about" }, describeAccess(post, openApi)),
    form?.node ?? element("p", {}, "This method takes no payload."),
    verbs.length > 1 ? verb.node : undefined,
    headers.node,
    element(
      "p",
      { class: "buttons" },
      ["A", "B"].map((visitor) => {
        return element("button", { type: "submit", value: visitor }, `Send as visitor ${visitor}`);
      }),
    ),
    error,
    createReference(post, hasPayload ? payload : undefined, openApi),
  );
}

function choose(id, label, values) {
  const select = element(
    "select",
    { id },
    values.map((value) => element("option", { value }, value)),
  );
  return {
    node: element("div", { class: "field" }, element("label", { for: id }, label), select),
    get value() {
      return select.value;
    },
  };
}

function describeAccess({ security = [] }, openApi) {
  if (security.length === 0) return "Public: runs without a session.";
  const isForGuests = security.some((each) => Object.keys(each).length === 0);
  const names = Object.keys(openApi.components.securitySchemes).join(" or ");
  return isForGuests
    ? `For guests and users. Session by ${names}.`
    : `For logged-in users. Session by ${names}.`;
}

/** The fields for `Idempotency-Key` and `If-Match`, if the method takes them. */
function createHeaderFields({ parameters = [] }, openApi) {
  const known = parameters
    .map((parameter) => resolve(parameter, openApi))
    .filter(({ in: where, name }) => where === "header" && name !== "x-shop-id");
  const fields = known.map(({ name, description }) => {
    const id = `header-${name.toLowerCase()}`;
    const input = element("input", { id, type: "text", "aria-describedby": `${id}-about` });
    const label = element("label", { for: id }, name);
    const about = element("span", { id: `${id}-about`, class: "about" }, description);
    return { name, input, node: element("div", { class: "field" }, label, input, about) };
  });
  return {
    node: fields.length === 0 ? undefined : fold("Headers", ...fields.map(({ node }) => node)),
    read() {
      const set = fields.filter(({ input }) => input.value !== "");
      return Object.fromEntries(set.map(({ name, input }) => [name.toLowerCase(), input.value]));
    },
  };
}

/** The payload, the result, and the problems of a method, from the document. */
function createReference({ responses }, payload, openApi) {
  const result = responses[200]?.content?.["application/json"].schema;
  const problems = Object.entries(responses).filter(([status]) => !status.startsWith("2"));
  const rows = problems.map(([status, response]) => {
    return [status, resolve(response, openApi).description];
  });
  const none = responses[204]?.description;
  return element(
    "div",
    { class: "reference" },
    element("h3", {}, "Reference"),
    payload && fold("Payload", json(inline(payload, openApi))),
    fold(
      "Result",
      result ? json(inline(result, openApi)) : "",
      none ? element("p", {}, `204: ${none}`) : "",
    ),
    fold("Problems", table("Problems by status", ["status", "codes"], rows)),
  );
}

/** A schema with the schemas that it refers to; a schema that contains itself stays a reference. */
function inline(schema, openApi, path = []) {
  if (Array.isArray(schema)) return schema.map((each) => inline(each, openApi, path));
  if (typeof schema !== "object" || schema === null) return schema;
  const { $ref: reference } = schema;
  if (typeof reference === "string") {
    return path.includes(reference)
      ? schema
      : inline(resolve(schema, openApi), openApi, [...path, reference]);
  }
  const entries = Object.entries(schema).map(([key, part]) => [key, inline(part, openApi, path)]);
  return Object.fromEntries(entries);
}
