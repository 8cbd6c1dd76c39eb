/** The shop's page. Its buttons call methods from the browser. */
export function renderShop(greeting: string, itemCount: number): Response {
  const html = `<!doctype html>
<html lang="en">
  <meta charset="utf-8" />
  <title>Storefront Core and Nitro</title>
  <h1>${escape(greeting)}</h1>
  <p>${itemCount} items in the basket</p>
  <fieldset disabled>
    <button data-method="addItemToBasket" data-payload='{"variantId":7,"quantity":1}'>Add</button>
    <button data-method="register">Register</button>
    <button data-method="logout">Log out</button>
  </fieldset>
  <form action="/gift" method="post"><button>Add two while the server renders</button></form>
  <script type="module">
    // The buttons are off until this script runs, and while a call runs.
    const buttons = document.querySelector("fieldset");
    buttons.disabled = false;
    for (const button of buttons.children) {
      button.addEventListener("click", async () => {
        buttons.disabled = true;
        const { method, payload } = button.dataset;
        const user = { email: \`ada-\${crypto.randomUUID()}@example.com\`, password: "correct horse 9", firstName: "Ada" };
        const call = fetch("/api/rpc/" + method, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ payload: method === "register" ? user : JSON.parse(payload ?? "null") ?? undefined }),
        });
        await call.finally(() => location.reload());
      });
    }
  </script>
</html>`;
  return new Response(html, { headers: { "content-type": "text/html" } });
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
