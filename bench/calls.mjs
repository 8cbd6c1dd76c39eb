/** The calls that are measured; `%d` stands for a number that is another each time. */
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
    // What has no sessions cannot see that nobody is logged in.
    bareMethod: "getNobody",
  },
  login: {
    method: "login",
    body: '{"payload":{"email":"visitor-%d@shop.example","password":"correct horse"}}',
    isAnonymous: true,
    shows: /"user":\{"id":"(?:user|visitor)-/,
  },
};

/**
 * What a target is to be sent.
 * @param visitors the headers of those who are logged in
 */
export function toLoad(kind, { storage }, visitors) {
  const { method, bareMethod = method, body, isAnonymous } = calls[kind];
  return {
    path: `/api/rpc/${storage === "none" ? bareMethod : method}`,
    body,
    visitors: isAnonymous ? [{}] : visitors,
  };
}

/** Logs users in, each once. @returns the headers by which each is known from then on */
export async function logIn(origin, count) {
  const visitors = [];
  for (let start = 0; start < count; start += parallel) {
    const users = Array.from({ length: Math.min(parallel, count - start) }, (_, at) => start + at);
    visitors.push(...(await Promise.all(users.map((user) => logInOnce(origin, `user-${user}`)))));
  }
  return visitors;
}

/** Logs a user in. @returns the headers by which they are known from then on */
export async function logInOnce(origin, userId) {
  const payload = { email: `${userId}@shop.example`, password: "correct horse" };
  const response = await send(origin, "/api/rpc/login", JSON.stringify({ payload }));
  const token = response.headers.get("storefront-auth-token");
  if (token) return { authorization: `Bearer ${token}` };
  // Of several of one name, browsers keep the last.
  const [pair] = response.headers.getSetCookie().at(-1).split(";");
  return { cookie: pair };
}

/** Makes a call. @throws Error where it fails */
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

/** Whether a load is answered as it should be: a server that fails fast is fast. */
export async function assertAnswers(origin, kind, { path, body, visitors }) {
  const sent = body.replace("%d", String(Date.now()));
  const text = await (await send(origin, path, sent, visitors.at(-1))).text();
  if (!calls[kind].shows.test(text)) throw new Error(`${path} of ${kind} answered ${text}`);
}

// --- Internal helpers ---

const parallel = 32;
