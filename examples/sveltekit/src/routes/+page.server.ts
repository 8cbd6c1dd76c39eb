/** Form actions run on the server, where each call is a function call. */
export const actions = {
  async default({ locals: { rpc } }) {
    await Promise.all([
      rpc.addItemToBasket({ variantId: 3, quantity: 1 }),
      rpc.addItemToBasket({ variantId: 4, quantity: 1 }),
    ]);
  },
};
