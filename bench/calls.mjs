/** The measured calls. `%d` stands for a number that differs in each request. */
export const calls = {
  read: { method: "getUser", body: "{}", shows: /"user":\{"id":"user-/ },
  write: { method: "setField", body: '{"payload":{"value":%d}}', shows: /^\{"value":\d+\}$/ },
  basket: {
    method: "addItemToBasket",
    body: '{"payload":{"variantId":7,"quantity":1}}',
    shows: /^\{"basket":/,
  },
  guest: {
    method: "getUser",
    body: "{}",
    isAnonymous: true,
    shows: /^\{\}$/,
  },
  login: {
    method: "login",
    body: '{"payload":{"email":"visitor-%d@shop.example","password":"correct horse"}}',
    isAnonymous: true,
    shows: /"user":\{"id":"(?:user|visitor)-/,
  },
};

/**
 * The requests that a target receives.
 * @param target its `methods` replace methods of {@link calls}, by kind
 * @param visitors the headers of each logged-in visitor
 */
export function toLoad(kind, { methods = {} }, visitors) {
  const { method, body, isAnonymous } = calls[kind];
  return {
    path: `/api/rpc/${methods[kind] ?? method}`,
    body,
    visitors: isAnonymous ? [{}] : visitors,
  };
}

/** Logs in each of `count` users. @returns the headers that identify each of them */
export async function logIn(origin, count) {
  const visitors = [];
  for (let start = 0; start < count; start += parallel) {
    const users = Array.from({ length: Math.min(parallel, count - start) }, (_, at) => start + at);
    visitors.push(...(await Promise.all(users.map((user) => logInOnce(origin, `user-${user}`)))));
  }
  return visitors;
}

/** Logs a user in. @returns the headers that identify the user */
export async function logInOnce(origin, userId) {
  const payload = { email: `${userId}@shop.example`, password: "correct horse" };
  const response = await send(origin, "/api/rpc/login", JSON.stringify({ payload }));
  const token = response.headers.get("storefront-auth-token");
  if (token) return { authorization: `Bearer ${token}` };
  // If a response sets a cookie twice, browsers store the last one.
  const [pair] = response.headers.getSetCookie().at(-1).split(";");
  return { cookie: pair };
}

/** Makes a call. @throws Error if the call fails */
export async function send(origin, path, body, headers = {}) {
  const response = await fetch(`${origin}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  if (!response.ok) {
    throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  }
  return response;
}

/** Checks the response to a load, because a server that rejects every request is fast. */
export async function assertAnswers(origin, kind, { path, body, visitors }) {
  const sent = body.replace("%d", String(Date.now()));
  const text = await (await send(origin, path, sent, visitors.at(-1))).text();
  if (!calls[kind].shows.test(text)) throw new Error(`${path} of ${kind} answered ${text}`);
}

// --- Internal helpers ---

const parallel = 32;
