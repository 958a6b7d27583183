// What the scripts of this folder share: the official client in Node.js, the port of the server, and how a script ends.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

const HARD_LIMIT = 60_000;
const require = createRequire(import.meta.url);

export function end(status, message) {
    if (message) console.error(message);
    process.exit(status);
}

const script = basename(process.argv[1]);
const port = process.argv[2] ?? "";
if (process.argv.length !== 3 || !/^[0-9]{1,5}$/.test(port)) end(64, `usage: ${script} PORT`);
export const url = `http://127.0.0.1:${port}`;

const clientDir = process.env.SIO_JS_CLIENT_DIR;
if (!clientDir) end(64, "SIO_JS_CLIENT_DIR is not set (see scripts/install-test-dependencies)");
const client = join(clientDir, "socket.io.min.js");
if (!existsSync(client)) end(64, `no client at ${client}`);

// The browser's build of the client takes the platform's WebSocket. Debian's module is where only Debian's own Node.js
// looks for it.
function webSocket() {
    for (const name of ["ws", "/usr/share/nodejs/ws"]) {
        try {
            return require(name);
        } catch (error) {
            if (error.code !== "MODULE_NOT_FOUND") throw error;
        }
    }
    return globalThis.WebSocket ?? end(64, "no WebSocket: install Debian's node-ws");
}
globalThis.WebSocket = webSocket();
export const io = require(client);

let current = "start";
/// Says what is being done, for the message if that fails.
export function begin(name) { current = name; }
function fail(error) { end(1, `FAILED node ${current}: ${error?.stack ?? error}`); }

setTimeout(() => end(1, `FAILED node ${current}: stopped after ${HARD_LIMIT / 1000} s`), HARD_LIMIT).unref();
for (const event of ["uncaughtException", "unhandledRejection"]) process.on(event, fail);
