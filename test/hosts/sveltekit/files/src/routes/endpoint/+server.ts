export async function POST({ locals: { rpc } }) {
  await rpc.addItemToBasket({ variantId: 3, quantity: 1 });
  return new Response(null, { status: 204 });
}
