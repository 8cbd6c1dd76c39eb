import axios from "axios";

// The session needs only this line in the page: the browser then sends the cookie.
axios.defaults.withCredentials = true;
axios.defaults.baseURL = `${import.meta.env.VITE_API ?? "http://localhost:3000"}/api/rpc/`;
axios.defaults.headers.common["x-shop-id"] = "1001";

/** Calls a method of the server. @throws the error of axios, with the problem in `response.data` */
export async function rpc(method, payload) {
  const { data } = await axios.post(method, { payload });
  return data;
}
