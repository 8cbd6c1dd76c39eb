import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A small commerce system for tests: an HTTP server that keeps all in memory. */
export interface CommerceSystemServer {
  readonly url: string;
  /** The quantities of a customer's basket, by variant. */
  basketOf(email: string): Readonly<Record<string, number>>;
  /** The tokens and IDs of carts that are valid. */
  readonly issued: () => readonly string[];
  /** Ends the sessions of a customer; without an address, those of guests. */
  endAll(email: string | undefined): void;
  /** The requests so far, for example `PUT /cart/lines/7`. */
  readonly requests: string[];
  /** The number of guests' sessions and carts so far. */
  readonly begun: () => number;
  /** The fault of the next requests; default: none. */
  fault: ((request: string) => Fault | undefined) | undefined;
  close(): Promise<void>;
}

/**
 * `lose`: the request is done, and its connection ends without a response. `refuse`: it isn't done. `delay`: the response
 * comes after that many milliseconds. `until`: it comes when the promise resolves.
 */
export type Fault =
  | "lose"
  | "refuse"
  | "fail"
  | "page"
  | { readonly delay: number }
  | { readonly until: Promise<void> };

/** The items of each variant in stock. Other variants have 1000. */
const stock: Readonly<Record<string, number>> = { "3": 5 };

interface Cart {
  readonly lines: Map<string, number>;
  readonly wishes: Set<string>;
  coupons: string[];
}

/**
 * Starts a commerce system. `joins`: a session token finds the basket; a login with the guest's token joins the baskets
 * and changes the token. `carts`: the ID of a cart finds the basket; a login doesn't touch the guest's cart.
 */
export async function startCommerceSystem(kind: "joins" | "carts"): Promise<CommerceSystemServer> {
  const customers = new Map<string, { password: string; cart: Cart }>();
  /** The carts of guests, and of logged-in customers, by token or cart ID. */
  const carts = new Map<string, { cart: Cart; email?: string }>();
  let begun = 0;
  const requests: string[] = [];

  function begin(): string {
    const id = randomUUID();
    begun++;
    carts.set(id, { cart: newCart() });
    return id;
  }

  function logIn(email: string, guest: string | undefined): string {
    const { cart } = customers.get(email) as { cart: Cart };
    const left = guest === undefined ? undefined : carts.get(guest);
    if (kind === "joins" && guest !== undefined && left !== undefined && left.email === undefined) {
      for (const [variant, quantity] of left.cart.lines) {
        cart.lines.set(variant, (cart.lines.get(variant) ?? 0) + quantity);
      }
      carts.delete(guest);
    }
    const id = randomUUID();
    carts.set(id, { cart, email });
    return id;
  }

  function toView({ lines, coupons }: Cart) {
    const items = [...lines].map(([variantId, quantity]) => ({
      key: `line-${variantId}`,
      variantId,
      quantity,
      price: 100 * Number(variantId),
    }));
    const total = items.reduce((sum, { price, quantity }) => sum + price * quantity, 0);
    return { items, total, coupons };
  }

  /** Sets a quantity, within the stock. */
  function set({ lines }: Cart, variant: string, quantity: number): boolean {
    const most = Math.min(quantity, stock[variant] ?? 1000);
    if (most === 0) lines.delete(variant);
    else lines.set(variant, most);
    return most === quantity;
  }

  function answer(method: string, path: string, token: string | undefined, body: Body) {
    if (method === "POST" && path === "/sessions") return [200, { token: begin() }];
    if (method === "POST" && path === "/customers") {
      const { email = "", password = "" } = body;
      if (customers.has(email)) return [409, { error: "taken" }];
      customers.set(email, { password, cart: newCart() });
      return [200, { email }];
    }
    if (method === "POST" && path === "/login") {
      const { email = "", password } = body;
      if (password === undefined || customers.get(email)?.password !== password) {
        return [401, { error: "credentials" }];
      }
      return [200, { email, token: logIn(email, token) }];
    }
    const found = token === undefined ? undefined : carts.get(token);
    if (found === undefined) return [401, { error: "token" }];
    const { cart } = found;
    if (method === "GET" && path === "/cart") return [200, toView(cart)];
    const [, variant = ""] = /^\/cart\/lines\/(\w+)$/.exec(path) ?? [];
    if (Number(variant) > 1000) return [404, { error: "variant" }];
    if (method === "POST" && variant !== "") {
      // Relative, as in many systems.
      const isAll = set(cart, variant, (cart.lines.get(variant) ?? 0) + (body.quantity ?? 0));
      return [isAll ? 200 : 409, toView(cart)];
    }
    if (method === "PUT" && variant !== "") {
      if (!cart.lines.has(variant)) return [404, { error: "line" }];
      return [set(cart, variant, body.quantity ?? 0) ? 200 : 409, toView(cart)];
    }
    if (path === "/cart/coupons" && body.code === "WRONG") return [422, { error: "coupon" }];
    if (path === "/cart/coupons") {
      const others = cart.coupons.filter((code) => code !== body.code);
      cart.coupons = method === "DELETE" ? others : [...others, body.code ?? ""];
      return [200, toView(cart)];
    }
    const [, wish] = /^\/wishes\/(\w+)$/.exec(path) ?? [];
    if (method === "PUT" && wish !== undefined) cart.wishes.add(wish);
    if (method === "DELETE" && wish !== undefined) cart.wishes.delete(wish);
    if (path.startsWith("/wishes")) return [200, { wishes: [...cart.wishes] }];
    if (method === "POST" && path === "/orders") {
      const order = toView(cart);
      cart.lines.clear();
      return [200, { order }];
    }
    if (method === "DELETE" && path === "/sessions") {
      carts.delete(token as string);
      return [200, {}];
    }
    return [404, { error: "path" }];
  }

  const server = createServer((request, response) => void handle(request, response));
  const system: CommerceSystemServer = {
    url: await listen(server),
    basketOf(email) {
      return Object.fromEntries(customers.get(email)?.cart.lines ?? []);
    },
    issued: () => [...carts.keys()],
    endAll(email) {
      for (const [id, owned] of carts) if (owned.email === email) carts.delete(id);
    },
    requests,
    begun: () => begun,
    fault: undefined,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url: path = "", headers } = request;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const name = `${method} ${path}`;
    requests.push(name);
    const fault = system.fault?.(name);
    if (fault === "refuse") return void request.socket.destroy();
    if (fault === "fail" || fault === "page") {
      const [status, type] = fault === "fail" ? [500, "application/json"] : [200, "text/html"];
      response.writeHead(status, { "content-type": type });
      return void response.end(fault === "fail" ? "{}" : "<h1>Maintenance</h1>");
    }
    const token = headers.authorization?.replace(/^Bearer /, "");
    const body = text === "" ? {} : (JSON.parse(text) as Body);
    const [status, result] = answer(method, path, token, body) as [number, object];
    if (fault === "lose") return void request.socket.destroy();
    if (typeof fault === "object") {
      await ("until" in fault ? fault.until : new Promise((done) => setTimeout(done, fault.delay)));
    }
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(result));
  }

  return system;
}

interface Body {
  readonly email?: string;
  readonly password?: string;
  readonly quantity?: number;
  readonly code?: string;
}

function listen(server: ReturnType<typeof createServer>): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    });
  });
}

function newCart(): Cart {
  return { lines: new Map(), wishes: new Set(), coupons: [] };
}
