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
let chosenMethod = "getShopConfiguration";
/** The latest call of each visitor. */
let latest = {};
/** The number of actions that run. */
let running = 0;

const choice = () => ({ shopId: Number(shop.value), transport: transport.value });

/** Runs an action, and shows its error. */
async function attempt(run) {
  running++;
  document.body.setAttribute("aria-busy", "true");
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    say(error.message, true);
    return undefined;
  } finally {
    running--;
    if (running === 0) document.body.removeAttribute("aria-busy");
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
  // The methods of the shop before can be others. Input in their form would be lost with it.
  method.replaceChildren();
  find("method-parts").replaceChildren();
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
  const { shopId } = choice();
  const loaded = await request("document", { shopId });
  // The developer can choose another shop during the request.
  if (shopId !== choice().shopId) return;
  openApi = loaded;
  showMethods();
  await loadState();
}

async function loadState() {
  const chosen = choice();
  const state = await request("state", chosen);
  latest = Object.fromEntries(state.calls.toReversed().map((call) => [call.visitor, call]));
  await show(chosen, state);
}

/** Shows the response to a request. If the developer has chosen another shop since, shows that one. */
async function show(chosen, { visitors, calls }) {
  if (JSON.stringify(chosen) !== JSON.stringify(choice())) return loadState();
  for (const [visitor, state] of Object.entries(visitors)) {
    showVisitor(visitor, state, latest[visitor], () => void attempt(() => forget(visitor)));
  }
  if (calls !== undefined) showCalls(calls);
}

/** The methods of the shop, by their tags. */
function showMethods() {
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
        names.map((name) =>
          element("option", { value: name, selected: name === chosenMethod }, name),
        ),
      ),
    ),
  );
  showMethod();
}

function showMethod() {
  chosenMethod = method.value;
  find("method-parts").replaceChildren(createMethod(chosenMethod, openApi, send));
}

async function send(visitor, call) {
  return attempt(async () => {
    say(`Visitor ${visitor} calls ${call.method} …`);
    const chosen = choice();
    const answer = await request("call", { ...chosen, ...call, visitor });
    const [{ response }] = answer.calls;
    [latest[visitor]] = answer.calls;
    await show(chosen, answer);
    const { status: code, statusText, headers, body, milliseconds } = response;
    say(`Visitor ${visitor}: ${call.method} ${code} ${statusText}, ${Math.round(milliseconds)} ms`);
    const { "content-type": type } = Object.fromEntries(headers);
    return type === "application/problem+json" ? parseProblem(body) : undefined;
  });
}

/** The page shows only the beginning of a long body, which isn't valid JSON. */
function parseProblem(body) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

async function forget(name) {
  const chosen = choice();
  const state = await request("forget", { ...chosen, visitor: name });
  delete latest[name];
  await show(chosen, state);
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
