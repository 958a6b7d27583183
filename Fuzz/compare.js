// Tells where a decoder and the reference's disagree on the inputs that fuzzing has found:
//
//   NODE_PATH=… node Fuzz/compare.js TARGET PROGRAM DIRECTORY...
//
// TARGET: json (needs nothing), payload (engine.io-parser) or packets (socket.io-parser). PROGRAM: the fuzz target.
// Prints each kind of disagreement with its number and three examples.
"use strict";
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const [target, program, ...directories] = process.argv.slice(2);
const files = directories.flatMap((d) => fs.readdirSync(d).map((name) => path.join(d, name)));

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const hex = (data) => Buffer.from(data).toString("hex");

function json(bytes) {
    try {
        return "accept " + JSON.stringify(JSON.parse(utf8.decode(bytes)));
    } catch {
        return "refuse";
    }
}

function payload(bytes) {
    const { decodePayload } = require("engine.io-parser");
    let text;
    try {
        text = utf8.decode(bytes);
    } catch {
        return null;
    }
    const simple = new Set(["close", "upgrade", "noop"]);
    return decodePayload(text, "nodebuffer").map(({ type, data }) => {
        if (type === "error") return "error";
        if (simple.has(type)) return type;
        return Buffer.isBuffer(data) ? `binary:${hex(data)}` : `${type}:${hex(data ?? "")}`;
    }).join("|");
}

// A packet in the words of the fuzz target.
function describe(packet) {
    const names = ["connect", "disconnect", "event", "ack", "connectError", "binary event", "binary ack"];
    const data = packet.data === undefined ? "" : JSON.stringify(packet.data, (key, value) =>
        value && value.type === "Buffer" ? { _placeholder: true, num: value.num } : value);
    return `${names[packet.type]} ${packet.nsp} ${packet.id ?? "-"} ${data}`;
}

function packets(bytes) {
    const { Decoder } = require("socket.io-parser");
    const decoder = new Decoder();
    const seen = [];
    decoder.on("decoded", (packet) => seen.push(describe(packet)));
    let awaiting = false;
    const messages = [];
    let start = 1;
    for (let i = 1; i <= bytes.length; i += 1) {
        if (i === bytes.length || bytes[i] === 0xff) {
            messages.push(bytes.subarray(start, i));
            start = i + 1;
        }
    }
    for (const [index, message] of messages.slice(0, 16).entries()) {
        awaiting = Boolean(decoder.reconstructor);
        try {
            if (index === 0 || !awaiting) decoder.add(utf8.decode(message));
            else decoder.add(Buffer.from(message));
        } catch (error) {
            if (error.code === "ERR_ENCODING_INVALID_ENCODED_DATA") break;
            seen.push("error");
            break;
        }
    }
    if (decoder.reconstructor) seen.push("waiting");
    return seen.join("|");
}

const reference = { json, payload, packets }[target];
const kinds = new Map();
let compared = 0;
for (let first = 0; first < files.length; first += 500) {
    const some = files.slice(first, first + 500);
    const run = spawnSync(program, some, { env: { ...process.env, FUZZ_VERDICTS: "1" }, maxBuffer: 1 << 30 });
    const lines = run.stdout.toString().split("\n").slice(0, -1);
    const verdicts = new Map(lines.map((line) => line.split(/\t(.*)/s)));
    some.forEach((file) => {
        const bytes = fs.readFileSync(file);
        const ours = verdicts.get(bytes.toString("hex"));
        if (ours === undefined) throw new Error(`no verdict on ${file}: ${run.stderr.toString().slice(-500)}`);
        const theirs = ours === "no UTF-8" ? null : reference(bytes);
        if (theirs === null) return;
        compared += 1;
        // Payloads of packets are compared as values.
        const normal = target !== "packets" ? ours : ours.split("|").map((part) => {
            const match = /^((?:binary )?\w+ \S+ \S+) \[[^\]]*\] ?([^]*)$/.exec(part);
            if (!match) return part;
            try {
                return `${match[1]} ${match[2] === "" ? "" : JSON.stringify(JSON.parse(match[2].replaceAll("\\\n", "\n")))}`;
            } catch {
                return part;
            }
        }).join("|");
        if (normal === theirs.split("\n").join("\\n")) return;
        const short = (text) => text.replace(/[ :].*/s, "") || "nothing";
        const kind = `ours ${short(normal)}, reference ${short(theirs)}`;
        if (!kinds.has(kind)) kinds.set(kind, []);
        kinds.get(kind).push({ file, input: bytes.toString("latin1").slice(0, 200), ours: normal.slice(0, 200), theirs: theirs.slice(0, 200) });
    });
}
console.log(`${target}: ${compared} inputs compared`);
for (const [kind, cases] of kinds) {
    console.log(`\n${kind}: ${cases.length}`);
    cases.sort((a, b) => a.input.length - b.input.length);
    for (const one of cases.slice(0, 3)) console.log(JSON.stringify(one, null, 1));
}
