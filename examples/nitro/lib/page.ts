/** The shop's page. Its buttons call methods from the browser. */
export function renderShop(greeting: string, itemCount: number): Response {
  const html = `<!doctype html>
<html lang="en">
  <meta charset="utf-8" />
  <title>Storefront Core and Nitro</title>
  <h1>${escape(greeting)}</h1>
  <p>${itemCount} items in the basket</p>
  <button data-method="addItemToBasket" data-payload='{"variantId":7,"quantity":1}'>Add</button>
  <button data-method="register">Register</button>
  <button data-method="logout">Log out</button>
  <form action="/gift" method="post"><button>Add two while the server renders</button></form>
  <script type="module">
    for (const button of document.querySelectorAll("[data-method]")) {
      button.addEventListener("click", async () => {
        const { method, payload } = button.dataset;
        const user = { email: \`ada-\${crypto.randomUUID()}@example.com\`, password: "correct horse 9", firstName: "Ada" };
        await fetch("/api/rpc/" + method, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ payload: method === "register" ? user : JSON.parse(payload ?? "null") ?? undefined }),
        });
        location.reload();
      });
    }
  </script>
</html>`;
  return new Response(html, { headers: { "content-type": "text/html" } });
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
