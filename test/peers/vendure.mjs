// A Vendure server with our session cache; see ../vendure.test.ts.
import { bootstrap, DefaultLogger, LogLevel } from "@vendure/core";
import { createVendureSessionCache } from "../../dist/adapters/vendure.js";

const { TEST_REDIS_URL, TEST_DATABASE } = process.env;

const app = await bootstrap({
  apiOptions: {
    hostname: "127.0.0.1",
    port: 0,
    shopApiPath: "shop-api",
    adminApiPath: "admin-api",
  },
  authOptions: {
    tokenMethod: ["cookie", "bearer"],
    cookieOptions: { secret: "the same after a restart" },
    requireVerification: false,
    sessionCacheStrategy: createVendureSessionCache({
      storage: { driver: "redis", url: TEST_REDIS_URL },
    }),
  },
  dbConnectionOptions: {
    type: "sqljs",
    synchronize: true,
    autoSave: true,
    location: TEST_DATABASE,
    logging: false,
  },
  paymentOptions: { paymentMethodHandlers: [] },
  logger: new DefaultLogger({ level: LogLevel.Warn, timestamp: false }),
});

console.log(`listens on http://127.0.0.1:${app.getHttpServer().address().port}`);
