const { defineConfig } = require("@medusajs/framework/utils");

const secret = "a secret for the tests of Medusa";

module.exports = defineConfig({
  admin: { disable: true },
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    // Outside development, Medusa wants TLS by default.
    databaseDriverOptions: { connection: { ssl: false } },
    http: {
      storeCors: "http://localhost",
      adminCors: "http://localhost",
      authCors: "http://localhost",
      jwtSecret: secret,
      jwtExpiresIn: process.env.JWT_LIFETIME,
      cookieSecret: secret,
    },
  },
});
