// Starts the server (http://localhost:3000) and the page (http://localhost:5173); ends both together.
import { spawn } from "node:child_process";

const commands = [
  ["../../dist/server/cli/cli.js", "start"],
  ["node_modules/vite/bin/vite.js", "serve"],
];
const children = commands.map((args) => spawn(process.execPath, args, { stdio: "inherit" }));
const stop = () => children.forEach((child) => child.kill());

for (const child of children) child.on("exit", stop);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, stop);
