/** Reads on the server only, where the address is the visitor's. */
export async function load({ locals: { rpc } }) {
  return { address: await rpc.showAddress(), basket: (await rpc.getBasket()).basket };
}
