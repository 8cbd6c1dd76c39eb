import { once } from "node:events";
import { connect } from "node:net";
import { onTestFinished } from "vitest";
import { until } from "./_cli.ts";

/** A raw connection to a server. */
export interface TestSocket {
  /** The bytes that the server has sent. */
  readonly received: string;
  /** Whether the server has ended the connection. */
  readonly isEnded: boolean;
  send(text: string): void;
  /** Waits until the server has sent a text so many times. */
  receive(text: string, times?: number): Promise<void>;
}

/** Opens a connection to a server until the test ends. */
export async function openSocket(origin: string): Promise<TestSocket> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  let received = "";
  let isEnded = false;
  socket.on("error", () => undefined);
  socket.setEncoding("utf8").on("data", (text: string) => (received += text));
  socket.on("end", () => (isEnded = true)).on("close", () => (isEnded = true));
  await once(socket, "connect");
  return {
    get received() {
      return received;
    },
    get isEnded() {
      return isEnded;
    },
    send: (text) => void socket.write(text),
    receive: (text, times = 1) => until(() => received.split(text).length > times),
  };
}

/** The text of a call on a keep-alive connection. */
export function toCall(method: string, body = "{}"): string {
  const head = `POST /api/rpc/${method} HTTP/1.1\r\nHost: localhost\r\nx-shop-id: 1\r\n`;
  return `${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** Whether a server accepts connections. */
export async function isListening(origin: string): Promise<boolean> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
