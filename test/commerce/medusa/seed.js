const { Modules } = require("@medusajs/framework/utils");
const flows = require("@medusajs/medusa/core-flows");

/** Stock of each variant; the third one sells out in the tests. */
const variants = [
  { sku: "CABLE", stock: 1000, eur: 9, usd: 10 },
  { sku: "LAPTOP", stock: 100, eur: 1299, usd: 1399 },
  { sku: "MOUSE", stock: 2, eur: 25, usd: 27.5 },
];

/** Two regions, one product with three variants, a coupon code, and a publishable key. Prints their IDs as one line of JSON. */
exports.default = async function seed({ container }) {
  const run = async (flow, input) => (await flow(container).run({ input })).result;

  const [channel] = await container.resolve(Modules.SALES_CHANNEL).listSalesChannels({});
  const [europe, america] = await run(flows.createRegionsWorkflow, {
    regions: [
      { name: "Europe", currency_code: "eur", countries: ["de"] },
      { name: "America", currency_code: "usd", countries: ["us"] },
    ],
  });
  await run(flows.createTaxRegionsWorkflow, [
    {
      country_code: "de",
      provider_id: "tp_system",
      default_tax_rate: { rate: 19, name: "VAT", code: "vat" },
    },
  ]);

  const [location] = await run(flows.createStockLocationsWorkflow, {
    locations: [{ name: "Warehouse" }],
  });
  await run(flows.linkSalesChannelsToStockLocationWorkflow, { id: location.id, add: [channel.id] });

  const [product] = await run(flows.createProductsWorkflow, {
    products: [
      {
        title: "Desk",
        handle: "desk",
        status: "published",
        sales_channels: [{ id: channel.id }],
        options: [{ title: "Part", values: variants.map(({ sku }) => sku) }],
        variants: variants.map(({ sku, eur, usd }) => ({
          title: sku,
          sku,
          options: { Part: sku },
          prices: [
            { amount: eur, currency_code: "eur" },
            { amount: usd, currency_code: "usd" },
          ],
        })),
      },
    ],
  });
  const items = await container.resolve(Modules.INVENTORY).listInventoryItems({});
  await run(flows.createInventoryLevelsWorkflow, {
    inventory_levels: variants.map(({ sku, stock }) => ({
      location_id: location.id,
      inventory_item_id: items.find((item) => item.sku === sku).id,
      stocked_quantity: stock,
    })),
  });

  await run(flows.createPromotionsWorkflow, {
    promotionsData: [
      {
        code: "TEN",
        type: "standard",
        status: "active",
        application_method: {
          type: "percentage",
          target_type: "items",
          allocation: "across",
          value: 10,
        },
      },
    ],
  });

  const [key] = await run(flows.createApiKeysWorkflow, {
    api_keys: [{ title: "Storefront", type: "publishable", created_by: "seed" }],
  });
  await run(flows.linkSalesChannelsToApiKeyWorkflow, { id: key.id, add: [channel.id] });

  const seeded = {
    publishableKey: key.token,
    regions: { eur: europe.id, usd: america.id },
    variants: Object.fromEntries(product.variants.map(({ sku, id }) => [sku.toLowerCase(), id])),
  };
  process.stdout.write(`seeded ${JSON.stringify(seeded)}\n`);
};
