let token;

/** Calls a method. Stores the token of the response, and removes it if the header is empty. */
export async function request(server, method, payload) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const response = await fetch(`${server}/api/rpc/${method}`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ payload }),
  });
  const authToken = response.headers.get("vendure-auth-token");
  if (authToken != null) {
    token = authToken;
  }
  return response.status === 204 ? undefined : response.json();
}
