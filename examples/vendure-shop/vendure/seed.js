// Fills an empty Vendure with two channels, products, shipping, a payment method, a coupon code, and a customer.
import { fileURLToPath } from "node:url";
import {
  ChannelService,
  CustomerService,
  LanguageCode,
  PaymentMethod,
  PaymentMethodService,
  ProductService,
  PromotionService,
  RequestContextService,
  ShippingMethod,
  ShippingMethodService,
  StockLocation,
  StockLocationService,
  TransactionalConnection,
  User,
} from "@vendure/core";
import { populate } from "@vendure/core/cli/index.js";

const initialData = {
  defaultLanguage: LanguageCode.en,
  defaultZone: "World",
  countries: [
    { name: "Austria", code: "AT", zone: "World" },
    { name: "Germany", code: "DE", zone: "World" },
    { name: "United States", code: "US", zone: "World" },
  ],
  taxRates: [{ name: "standard", percentage: 19 }],
  shippingMethods: [
    { name: "Standard", price: 490 },
    { name: "Express", price: 1290 },
  ],
  paymentMethods: [
    {
      name: "Card",
      handler: {
        code: "dummy-payment-handler",
        arguments: [{ name: "automaticSettle", value: "true" }],
      },
    },
  ],
  collections: [],
};

/** @param app a Vendure with an empty database */
export async function seed(app) {
  const admin = await createAdmin(app);
  const channels = app.get(ChannelService);
  const { id: defaultId } = await channels.getDefaultChannel();
  await succeed(
    channels.update(admin, {
      id: defaultId,
      token: "shop-de",
      defaultLanguageCode: LanguageCode.en,
      availableLanguageCodes: [LanguageCode.en, LanguageCode.de],
      defaultCurrencyCode: "EUR",
      availableCurrencyCodes: ["EUR"],
      pricesIncludeTax: true,
      trackInventory: true,
    }),
  );
  await populate(() => app, initialData, fileURLToPath(new URL("products.csv", import.meta.url)));
  const ctx = await createAdmin(app);
  const { defaultTaxZone, defaultShippingZone } = ctx.channel;
  const us = await succeed(
    channels.create(ctx, {
      code: "us",
      token: "shop-us",
      defaultLanguageCode: LanguageCode.en,
      availableLanguageCodes: [LanguageCode.en],
      defaultCurrencyCode: "USD",
      availableCurrencyCodes: ["USD"],
      pricesIncludeTax: true,
      trackInventory: true,
      defaultTaxZoneId: defaultTaxZone.id,
      defaultShippingZoneId: defaultShippingZone.id,
    }),
  );
  const { items: products } = await app.get(ProductService).findAll(ctx, { take: 100 });
  await app.get(ProductService).assignProductsToChannel(ctx, {
    productIds: products.map(({ id }) => id),
    channelId: us.id,
    priceFactor: 1.1,
  });
  for (const [entity, service] of [
    [ShippingMethod, ShippingMethodService],
    [PaymentMethod, PaymentMethodService],
    [StockLocation, StockLocationService],
  ]) {
    const { items } = await app.get(service).findAll(ctx, {});
    for (const { id } of items) await channels.assignToChannels(ctx, entity, id, [us.id]);
  }
  await succeed(
    app.get(PromotionService).createPromotion(ctx, {
      enabled: true,
      couponCode: "TEN",
      conditions: [],
      actions: [
        { code: "order_percentage_discount", arguments: [{ name: "discount", value: "10" }] },
      ],
      translations: [{ languageCode: LanguageCode.en, name: "Ten percent off" }],
    }),
  );
  const ada = { emailAddress: "ada@example.com", firstName: "Ada", lastName: "Lovelace" };
  await succeed(app.get(CustomerService).create(ctx, ada, "correct horse"));
}

async function createAdmin(app) {
  const users = app.get(TransactionalConnection).rawConnection.getRepository(User);
  const user = await users.findOneOrFail({
    where: { identifier: "superadmin" },
    relations: { roles: { channels: true } },
  });
  return app.get(RequestContextService).create({ apiType: "admin", user });
}

/** @throws Error if Vendure responds with an error result */
async function succeed(pending) {
  const result = await pending;
  if (result.errorCode !== undefined) throw new Error(`${result.errorCode}: ${result.message}`);
  return result;
}
