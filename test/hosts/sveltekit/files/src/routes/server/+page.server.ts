import { storefront } from "$lib/server/storefront";

/** Reads on the server only, where the address is the visitor's. The build loads this module, without a secret. */
export async function load({ locals: { rpc } }) {
  const { basePath } = storefront.options;
  return { basePath, address: await rpc.showAddress(), basket: (await rpc.getBasket()).basket };
}
