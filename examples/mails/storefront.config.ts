import { createTransport } from "nodemailer";
import { defineStorefrontConfig, type MailMessage } from "storefront-core";

/** The URL of the shop's pages. It doesn't depend on the request, so a forged Host header never gets into a mail. */
const site = process.env["SITE_URL"] ?? "http://localhost:5173";

const transport = createTransport(process.env["SMTP_URL"] ?? "smtp://localhost:1025");

/** The texts by the language of the shop. */
const texts = {
  de: {
    greeting: "Hallo",
    resetPassword: ["Ihr neues Passwort", "Wählen Sie hier ein neues Passwort:"],
    verifyEmail: ["Ihre E-Mail-Adresse", "Bestätigen Sie hier Ihre Adresse:"],
    passwordChanged: ["Ihr Passwort wurde geändert", "Waren Sie das nicht? Schreiben Sie uns."],
    emailChanged: ["Ihre Adresse wurde geändert", "Waren Sie das nicht? Schreiben Sie uns."],
  },
  en: {
    greeting: "Hello",
    resetPassword: ["Your new password", "Choose a new password here:"],
    verifyEmail: ["Your email address", "Confirm your address here:"],
    passwordChanged: ["Your password has changed", "If that wasn't you, write to us."],
    emailChanged: ["Your email address has changed", "If that wasn't you, write to us."],
  },
} as const;

async function mailer(mail: MailMessage): Promise<void> {
  const { greeting, ...kinds } = texts[mail.locale.startsWith("de") ? "de" : "en"];
  const [subject, text] = kinds[mail.kind];
  // Browsers don't send the part after # to a server.
  const link = "token" in mail ? `\n\n${site}/${mail.kind}#${mail.token}` : "";
  await transport.sendMail({
    from: process.env["MAIL_FROM"] ?? "shop@shop.example",
    to: mail.to,
    subject,
    text: `${greeting} ${mail.user.firstName ?? ""}\n\n${text}${link}\n`,
  });
}

export default defineStorefrontConfig({
  mailer,
  shops: [
    { shopId: 1001, locale: "de-DE", currency: "EUR", path: "de" },
    { shopId: 1002, locale: "en-GB", currency: "GBP", path: "uk" },
  ],
});
