// Checks a server of CONTRACT.md with the official client in Node.js, over websocket: `interop.mjs PORT`.
import "../shared/checks.js";
import { begin, end, io, url } from "./peer.mjs";

try {
    const names = await globalThis.interop.run(io, url, {
        mode: "websocket",
        report: begin,
    });
    for (const name of names) console.log(`ok node ${name}`);
    console.log(`passed ${names.length} checks`);
    end(0);
} catch (error) {
    end(1, `FAILED node ${error.message}`);
}
