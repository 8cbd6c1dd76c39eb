import { element, facts, fold, json, table, time } from "./dom.js";

/**
 * Shows a visitor: the session as the server sees it, cookies, basket, and wishlist.
 * @param forget runs if the developer wants a new visitor
 */
export function showVisitor(name, state, lastCall, forget) {
  const section = document.getElementById(`visitor-${name}`);
  // A new button would lose the focus.
  const button =
    section.querySelector("button") ??
    element("button", { type: "button", onclick: forget }, `New visitor ${name}`);
  const hadFocus = document.activeElement === button;
  section.replaceChildren(
    element("h2", { id: `title-${name}` }, `Visitor ${name}`),
    element("h3", {}, "Session"),
    showSession(state.session),
    element("h3", {}, "Basket"),
    showList(name, "Basket", state.basket),
    element("h3", {}, "Wishlist"),
    showList(name, "Wishlist", state.wishlist),
    element("h3", {}, "Cookies"),
    showCookies(state.cookies),
    ...(lastCall === undefined ? [] : [element("h3", {}, "Last response"), ...showLast(lastCall)]),
    element("p", {}, button),
  );
  if (hadFocus) button.focus();
}

function showSession(session) {
  if (session.state !== "active") {
    const text = {
      none: "No session: the next write begins one.",
      replaced: "Replaced: another call of this visitor got a new session ID.",
      ended: "Ended: a logout, a revocation, or a limit ended it a moment ago.",
      unknown: `Unknown: the storage failed. ${session.reason}`,
    }[session.state];
    return element("p", { class: `state ${session.state}` }, text);
  }
  const { user, customData, mergePending, hasTokens } = session;
  return element(
    "div",
    {},
    facts([
      ["user", user === undefined ? "guest" : json(user)],
      ["data", Object.keys(customData).length === 0 ? "none" : json(customData)],
      ["expires", time(session.expiresAt)],
      ["transport", session.transport],
      ["ID", session.id],
      ["revision", session.revision],
      ["created", time(session.createdAt)],
      ["extended", session.lastSeenAt && time(session.lastSeenAt)],
      ["authenticated", session.authenticatedAt && time(session.authenticatedAt)],
      ["handle", session.handle],
      ["merge", mergePending ? "pending" : undefined],
      ["tokens", hasTokens ? "of the commerce system, encrypted" : undefined],
    ]),
  );
}

function showCookies(cookies) {
  if (cookies.length === 0) return element("p", {}, "None.");
  return facts(
    cookies.map(({ name, value, attributes, expiresAt }) => [
      name,
      [value, attributes, expiresAt === undefined ? "" : `expires ${time(expiresAt)}`].join("; "),
    ]),
  );
}

function showList(visitor, title, list) {
  if (list === null || list === undefined) return element("p", {}, "None.");
  if (list.storedIn !== undefined) {
    return element("p", {}, `Stored in ${list.storedIn}. Call its method to read it.`);
  }
  const rows = list.items.map(({ variantId, productId, quantity, key }) => [
    variantId === undefined ? `product ${productId}` : `variant ${variantId}`,
    String(quantity ?? 1),
    key,
  ]);
  const revision = list.revision === undefined ? "" : `, revision ${list.revision}`;
  const caption = `${title} of visitor ${visitor}: ${rows.length} ${rows.length === 1 ? "line" : "lines"}${revision}`;
  if (rows.length === 0) return element("p", {}, caption);
  return table(caption, ["item", "quantity", "key"], rows);
}

function showLast({ method, request, response }) {
  return [
    element(
      "p",
      {},
      `${method}: ${response.status} ${response.statusText}, ${Math.round(response.milliseconds)} ms`,
    ),
    showExchange(request, response),
  ];
}

/** A call as it went over HTTP. */
export function showExchange(request, response) {
  const status = `HTTP ${response.status} ${response.statusText}`;
  return element(
    "div",
    {},
    element("pre", { class: "body" }, pretty(response.body)),
    fold("Request", element("pre", {}, toText(request.line, request))),
    fold("Response", element("pre", {}, toText(status, response))),
  );
}

/** The text of a request or a response. */
function toText(first, { headers, body }) {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  return [first, ...lines, "", body].join("\n");
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}
