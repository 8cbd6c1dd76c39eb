import axios from "axios";

// The whole of what a page does for its session: let the cookie travel.
axios.defaults.withCredentials = true;
axios.defaults.baseURL = `${import.meta.env.VITE_API ?? "http://localhost:3000"}/api/rpc/`;
axios.defaults.headers.common["x-shop-id"] = "1001";

/** Calls a method of the server; what it throws is axios's error, with the problem in `response.data`. */
export async function rpc(method, payload) {
  const { data } = await axios.post(method, { payload });
  return data;
}
