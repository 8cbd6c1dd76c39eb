import type { Page } from "playwright-core";

/** An attempt of another site's page to act for its visitor. */
export interface Attack {
  readonly name: string;
  /** The HTTP methods and media types of the browser's requests, in order. */
  readonly sends: readonly string[];
  /**
   * The cookies that the browser sends from another site: those with `SameSite=None`, those
   * that are `lax` too, or none.
   */
  readonly takes: "none" | "lax" | "nothing";
  /** Whether its origin is `null`, which belongs to another site on every page. */
  readonly isOfNoSite?: boolean;
  /** Starts it in a page; can navigate away from the page. */
  run(page: Page, server: string): Promise<void>;
}

/** A form field that makes a text/plain body `name=value` valid JSON. */
const field = {
  name: '{"payload":{"variantId":666,"quantity":1,"customData":{"x":"',
  value: '"}}}',
};

/** The requests that a page can make a browser send: by forms, scripts, and elements. */
export const attacks: readonly Attack[] = [
  attackByForm("a form of text/plain, written as JSON", { type: "text/plain" }),
  attackByForm("a form that is URL-encoded", { type: "application/x-www-form-urlencoded" }),
  attackByForm("a form of several parts", { type: "multipart/form-data" }),
  attackByForm("a form that says which verb is meant", {
    type: "application/x-www-form-urlencoded",
    fields: { _method: "POST", payload: '{"variantId":666,"quantity":1}' },
  }),
  attackByForm("a form that logs in to the attacker's account", {
    type: "text/plain",
    method: "login",
    fields: { '{"payload":{"email":"eve@evil.test","password":"': 'battery staple"}}' },
  }),
  attackByForm("a form without a field, where no payload is due", {
    type: "application/x-www-form-urlencoded",
    method: "logout",
    fields: {},
  }),
  attackByForm("a form in a new window", { type: "text/plain", target: "_blank" }),
  attackByForm("a form in a frame", { type: "text/plain", target: "frame" }),
  attackByForm("a form of a page that tells no referrer", { type: "text/plain", isSilent: true }),
  attackByForm("a form of GET", { verb: "get" }),

  attackByScript("fetch without CORS, of text", ["POST text/plain"], "none", (call) => {
    void fetch(call.add, { ...call.post, mode: "no-cors", body: call.json });
  }),
  attackByScript("fetch without CORS, named JSON", ["POST text/plain"], "none", (call) => {
    const headers = { "content-type": "application/json" };
    void fetch(call.add, { ...call.post, mode: "no-cors", headers, body: call.json });
  }),
  attackByScript("fetch without CORS or a body", ["POST -"], "none", (call) => {
    void fetch(call.logout, { ...call.post, mode: "no-cors" });
  }),
  attackByScript("fetch without a referrer", ["POST -"], "none", (call) => {
    const init = { ...call.post, mode: "no-cors", referrerPolicy: "no-referrer" } as const;
    void fetch(call.logout, init);
  }),
  attackByScript("fetch of text", ["POST text/plain"], "none", (call) => {
    fetch(call.add, { ...call.post, body: call.json }).catch(() => {});
  }),
  attackByScript("fetch of JSON", ["OPTIONS -"], "nothing", (call) => {
    const headers = { "content-type": "application/json" };
    fetch(call.add, { ...call.post, headers, body: call.json }).catch(() => {});
  }),
  attackByScript("fetch that outlives its page", ["POST text/plain"], "none", (call) => {
    void fetch(call.add, { ...call.post, mode: "no-cors", keepalive: true, body: call.json });
  }),
  attackByScript("fetch by other verbs", ["OPTIONS -", "OPTIONS -"], "nothing", (call) => {
    fetch(call.add, { ...call.post, method: "PUT" }).catch(() => {});
    fetch(call.add, { ...call.post, method: "DELETE" }).catch(() => {});
  }),
  attackByScript("fetch that says which verb is meant", ["OPTIONS -"], "nothing", (call) => {
    const headers = { "x-http-method-override": "POST" };
    fetch(call.addByGet, { ...call.post, method: "GET", headers }).catch(() => {});
  }),
  attackByScript("XMLHttpRequest of text", ["POST text/plain"], "none", (call) => {
    const request = new XMLHttpRequest();
    request.open("POST", call.add);
    request.withCredentials = true;
    request.send(call.json);
  }),
  attackByScript("XMLHttpRequest of JSON", ["OPTIONS -"], "nothing", (call) => {
    const request = new XMLHttpRequest();
    request.open("POST", call.add);
    request.withCredentials = true;
    request.setRequestHeader("content-type", "application/json");
    request.send(call.json);
  }),
  attackByScript("a beacon of text", ["POST text/plain"], "none", (call) => {
    navigator.sendBeacon(call.add, call.json);
  }),
  attackByScript("a beacon of a form", ["POST multipart/form-data"], "none", (call) => {
    navigator.sendBeacon(call.add, new FormData());
  }),
  attackByScript("a beacon of JSON", ["OPTIONS -"], "nothing", (call) => {
    navigator.sendBeacon(call.add, new Blob([call.json], { type: "application/json" }));
  }),
  attackByScript("a link that pings", ["POST text/ping"], "none", (call) => {
    const link = Object.assign(document.createElement("a"), { href: "#", ping: call.logout });
    document.body.append(link);
    link.click();
  }),
  attackByScript("a stream of events", ["GET -"], "none", (call) => {
    const events = new EventSource(call.addByGet, { withCredentials: true });
    events.addEventListener("error", () => events.close());
  }),

  attackByElement("an image", "img", "src"),
  attackByElement("a script", "script", "src"),
  attackByElement("a frame", "iframe", "src"),
  attackByElement("a film", "video", "src"),
  attackByElement("a style sheet", "link", "href", { rel: "stylesheet" }),
  attackByElement("a page to be fetched ahead", "link", "href", { rel: "prefetch" }),

  attackByScript("going there", ["GET -"], "lax", (call) => void location.assign(call.addByGet)),
  attackByScript("opening a window there", ["GET -"], "lax", (call) => void open(call.addByGet)),

  attackByFrame("a form of a sandboxed frame, whose origin is null", "srcdoc", (call) => {
    const form = document.createElement("form");
    Object.assign(form, { action: call.add, method: "post", enctype: "text/plain" });
    form.append(Object.assign(document.createElement("input"), call.field));
    document.body.append(form);
    form.submit();
  }),
  attackByFrame("fetch of a sandboxed frame, whose origin is null", "srcdoc", (call) => {
    void fetch(call.add, { ...call.post, mode: "no-cors", body: call.json });
  }),
  attackByFrame("fetch of a data: URL, whose origin is null", "src", (call) => {
    void fetch(call.add, { ...call.post, mode: "no-cors", body: call.json });
  }),
];

// --- Internal helpers ---

const json = '{"payload":{"variantId":666,"quantity":1}}';

/** The arguments of a script in a page. */
interface CallToForge {
  readonly add: string;
  readonly addByGet: string;
  readonly logout: string;
  readonly json: string;
  readonly field: typeof field;
  readonly post: { readonly method: "POST"; readonly credentials: "include" };
}

function createCall(server: string): CallToForge {
  const rpc = `${server}/api/rpc`;
  const query = new URLSearchParams({ payload: '{"variantId":666,"quantity":1}', _method: "POST" });
  return {
    add: `${rpc}/addItemToBasket`,
    addByGet: `${rpc}/addItemToBasket?${query}`,
    logout: `${rpc}/logout`,
    json,
    field,
    post: { method: "POST", credentials: "include" },
  };
}

function attackByScript(
  name: string,
  sends: Attack["sends"],
  takes: Attack["takes"],
  script: (call: CallToForge) => void,
): Attack {
  return { name, sends, takes, run: (page, server) => page.evaluate(script, createCall(server)) };
}

interface FormToForge {
  readonly verb?: "get" | "post";
  readonly type?: string;
  readonly target?: "_self" | "_blank" | "frame";
  readonly method?: string;
  readonly fields?: Readonly<Record<string, string>>;
  /** Whether the page sends no referrer. */
  readonly isSilent?: boolean;
}

function attackByForm(
  name: string,
  {
    verb = "post",
    type = "",
    target = "_self",
    method = "addItemToBasket",
    fields = { [field.name]: field.value },
    isSilent = false,
  }: FormToForge,
): Attack {
  return {
    name,
    sends: [verb === "get" ? "GET -" : `POST ${type}`],
    takes: verb === "get" ? "lax" : "none",
    run: (page, server) =>
      page.evaluate(
        ([attributes, inputs, silent]) => {
          if (silent) {
            const policy = { name: "referrer", content: "no-referrer" };
            document.head.append(Object.assign(document.createElement("meta"), policy));
          }
          const frame = Object.assign(document.createElement("iframe"), { name: "frame" });
          const form = Object.assign(document.createElement("form"), attributes);
          for (const [key, value] of Object.entries(inputs)) {
            form.append(Object.assign(document.createElement("input"), { name: key, value }));
          }
          document.body.append(frame, form);
          form.submit();
        },
        [
          { action: `${server}/api/rpc/${method}`, method: verb, enctype: type, target },
          fields,
          isSilent,
        ] as const,
      ),
  };
}

/** Elements load their URL by GET. */
function attackByElement(
  name: string,
  tag: string,
  attribute: string,
  attributes: Readonly<Record<string, string>> = {},
): Attack {
  return {
    name,
    sends: ["GET -"],
    takes: "none",
    run: (page, server) =>
      page.evaluate(
        ([tagName, rest]) => {
          document.body.append(Object.assign(document.createElement(tagName), rest));
        },
        [tag, { ...attributes, [attribute]: createCall(server).addByGet }] as const,
      ),
  };
}

/** Runs a script in a frame with the origin `null`. */
function attackByFrame(
  name: string,
  attribute: "src" | "srcdoc",
  script: (call: CallToForge) => void,
): Attack {
  return {
    name,
    sends: ["POST text/plain"],
    takes: "none",
    isOfNoSite: true,
    run: (page, server) =>
      page.evaluate(
        ([key, code]) => {
          const html = `<body><script>${code}</script>`;
          const frame = document.createElement("iframe");
          frame.setAttribute("sandbox", "allow-scripts allow-forms");
          frame.setAttribute(
            key,
            key === "src" ? `data:text/html,${encodeURIComponent(html)}` : html,
          );
          document.body.append(frame);
        },
        [attribute, `(${String(script)})(${JSON.stringify(createCall(server))})`] as const,
      ),
  };
}
