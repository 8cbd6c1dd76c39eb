import { element, table } from "./dom.js";
import { showExchange } from "./visitor.js";

/** Shows the list of the last calls. A call that is shown already stays, with its open parts. */
export function showCalls(calls) {
  const list = document.getElementById("calls");
  document.getElementById("no-calls").hidden = calls.length > 0;
  const known = new Map([...list.children].map((item) => [item.dataset.call, item]));
  list.replaceChildren(...calls.map((call) => known.get(toId(call)) ?? createItem(call)));
}

/** After a restart, the server counts from the start again. */
function toId({ number, at }) {
  return `${number} ${at}`;
}

function createItem(call) {
  const { number, at, visitor, shopId, method, changes, request, response } = call;
  const count = changes.length === 1 ? "1 change" : `${changes.length} changes`;
  const summary = `Visitor ${visitor}: ${method}, ${response.status} ${response.statusText}, ${count}`;
  const rows = changes.map((change) => [
    change.visitor,
    change.path,
    toText(change.before, change.path),
    toText(change.after, change.path),
  ]);
  const headings = ["visitor", "value", "before", "after"];
  return element(
    "li",
    { value: String(number), "data-call": toId(call) },
    element(
      "details",
      {},
      element("summary", {}, summary),
      element(
        "p",
        { class: "about" },
        `${new Date(at).toLocaleTimeString("en-GB")}, shop ${shopId}`,
      ),
      rows.length === 0
        ? element("p", {}, "It changed no session, basket, or wishlist of these visitors.")
        : table("Changes", headings, rows, "changes"),
      showExchange(request, response),
    ),
  );
}

function toText(value, path) {
  if (value === undefined || value === null) return "–";
  if (path.endsWith("At") && typeof value === "number")
    return new Date(value).toLocaleString("en-GB");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
