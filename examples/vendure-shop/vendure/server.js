// A Vendure on loopback with the data of seed.js. By default, everything is in memory; DATABASE names a file.
import { existsSync } from "node:fs";
import { bootstrap, DefaultLogger, dummyPaymentHandler, LogLevel } from "@vendure/core";
import { seed } from "./seed.js";

const { PORT = "3001", DATABASE: location } = process.env;
const isNew = location === undefined || !existsSync(location);

const app = await bootstrap({
  apiOptions: {
    hostname: "127.0.0.1",
    port: Number(PORT),
    shopApiPath: "shop-api",
    adminApiPath: "admin-api",
    cors: false,
  },
  authOptions: {
    // The storefront sends bearer tokens.
    tokenMethod: ["bearer"],
    requireVerification: false,
    superadminCredentials: { identifier: "superadmin", password: "superadmin" },
  },
  dbConnectionOptions: {
    type: "sqljs",
    synchronize: true,
    ...(location !== undefined && { location, autoSave: true }),
  },
  paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
  logger: new DefaultLogger({ level: LogLevel.Error, timestamp: false }),
});
if (isNew) await seed(app);

console.log(`Vendure listens on http://127.0.0.1:${app.getHttpServer().address().port}/shop-api`);
