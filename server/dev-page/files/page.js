import { request, RequestError } from "./api.js";
import { showCalls } from "./calls.js";
import { element } from "./dom.js";
import { createMethod } from "./method.js";
import { showVisitor } from "./visitor.js";

const find = (id) => document.getElementById(id);
const [shop, transport, method, status] = ["shop", "transport", "method", "status"].map(find);

/** The OpenAPI document of the chosen shop. */
let openApi;
let shops = [];
/** The latest call of each visitor. */
let latest = {};

const choice = () => ({ shopId: Number(shop.value), transport: transport.value });

/** Runs an action, and shows its error. */
async function attempt(run) {
  document.body.setAttribute("aria-busy", "true");
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    say(error.message, true);
    return undefined;
  } finally {
    document.body.removeAttribute("aria-busy");
  }
}

function say(text, isError = false) {
  status.textContent = text;
  status.classList.toggle("error", isError);
}

async function loadShops() {
  const loaded = await request("shops");
  shops = loaded.shops;
  const chosen = shop.value;
  setOptions(
    shop,
    shops.map(({ shopId, locale, currency }) => [
      String(shopId),
      `${shopId} ${locale} ${currency}`,
    ]),
    chosen,
  );
}

async function loadShop() {
  const { transports, document: path } = shops.find(({ shopId }) => String(shopId) === shop.value);
  setOptions(
    transport,
    transports.map((name) => [name, name]),
    transport.value,
  );
  find("transport-choice").hidden = transports.length < 2;
  const link = find("document");
  link.hidden = path === null;
  // A server can mount the storefront at a prefix.
  const base = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
  link.firstElementChild.href = base + path;
  openApi = await request("document", { shopId: Number(shop.value) });
  showMethods();
  await loadState();
}

async function loadState() {
  const { visitors, calls } = await request("state", choice());
  latest = Object.fromEntries(calls.toReversed().map((call) => [call.visitor, call]));
  showVisitors(visitors);
  showCalls(calls);
}

function showVisitors(visitors) {
  for (const [name, state] of Object.entries(visitors)) {
    showVisitor(name, state, latest[name], () => void attempt(() => forget(name)));
  }
}

/** The methods of the shop, by their tags. */
function showMethods() {
  const chosen = method.value || "getShopConfiguration";
  const groups = new Map();
  for (const [path, { post }] of Object.entries(openApi.paths)) {
    const [tag] = post.tags;
    groups.set(tag, [...(groups.get(tag) ?? []), path.slice("/rpc/".length)]);
  }
  method.replaceChildren(
    ...[...groups].map(([label, names]) =>
      element(
        "optgroup",
        { label },
        names.map((name) => element("option", { value: name, selected: name === chosen }, name)),
      ),
    ),
  );
  showMethod();
}

function showMethod() {
  find("method-parts").replaceChildren(createMethod(method.value, openApi, send));
}

async function send(visitor, call) {
  return attempt(async () => {
    say(`Visitor ${visitor} calls ${call.method} …`);
    const { visitors, calls } = await request("call", { ...choice(), ...call, visitor });
    [latest[visitor]] = calls;
    showVisitors(visitors);
    showCalls(calls);
    const { status: code, statusText, headers, body, milliseconds } = latest[visitor].response;
    say(`Visitor ${visitor}: ${call.method} ${code} ${statusText}, ${Math.round(milliseconds)} ms`);
    const { "content-type": type } = Object.fromEntries(headers);
    return type === "application/problem+json" ? parseProblem(body) : undefined;
  });
}

/** The page shows only the beginning of a long body, which is no JSON. */
function parseProblem(body) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

async function forget(name) {
  const { visitors } = await request("forget", { ...choice(), visitor: name });
  delete latest[name];
  showVisitors(visitors);
  say(`Visitor ${name} is new. The sessions of the old one stay active.`);
}

function setOptions(select, options, chosen) {
  select.replaceChildren(
    ...options.map(([value, text]) => {
      return element("option", { value, selected: value === chosen }, text);
    }),
  );
}

shop.addEventListener("change", () => void attempt(loadShop));
transport.addEventListener("change", () => void attempt(loadState));
method.addEventListener("change", showMethod);
find("refresh").addEventListener("click", () => {
  void attempt(async () => {
    await loadShops();
    await loadShop();
    say("Refreshed.");
  });
});

await attempt(async () => {
  await loadShops();
  await loadShop();
  document.body.dataset.ready = "";
});
