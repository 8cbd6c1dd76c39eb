import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { onTestFinished } from "vitest";
import { until } from "./_documents.ts";

/** A mail as it came by SMTP. */
export interface CaughtMail {
  readonly to: readonly string[];
  /** The headers and the text, decoded. */
  readonly text: string;
}

/** Starts a mail server that keeps each mail, until the test ends. */
export async function startMailCatcher() {
  const mails: CaughtMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData(stream, { envelope }, callback) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => void chunks.push(chunk));
      stream.on("end", () => {
        const to = envelope.rcptTo.map(({ address }) => address);
        mails.push({ to, text: decode(Buffer.concat(chunks).toString("latin1")) });
        callback();
      });
    },
  });
  const listener = server.listen(0, "127.0.0.1");
  await once(listener, "listening");
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  const { port } = listener.address() as AddressInfo;
  let read = 0;
  return {
    url: `smtp://127.0.0.1:${port}`,
    /** Waits for the next mail. */
    async next(): Promise<CaughtMail> {
      await until(async () => mails.length > read);
      return mails[read++] as CaughtMail;
    },
  };
}

// --- Internal helpers ---

/** Decodes quoted-printable (RFC 2045, 6.7), in which nodemailer sends texts with umlauts and long lines. */
function decode(text: string): string {
  if (!/^content-transfer-encoding: quoted-printable/im.test(text)) return text;
  const bytes = text
    .replaceAll(/=\r\n/g, "")
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}
