// Loses its connections to a server with connection state recovery and comes back, with the official client: `recovery.mjs PORT`.
// The server is that of RecoveryTests.swift.
import { begin, end, io, url } from "./peer.mjs";

function check(condition, what) {
    if (!condition) throw new Error(what);
}

function client(options = {}) {
    return io(url, {
        transports: ["websocket"], forceNew: true, reconnectionDelay: 5, reconnectionDelayMax: 20, ...options,
    });
}

const next = (socket, event) => new Promise((resolve) => socket.once(event, (...values) => resolve(values)));

// Cuts the connection without a word.
function cut(socket) {
    const ws = socket.io.engine?.transport?.ws;
    if (ws?.terminate) ws.terminate(); else socket.io.engine?.close();
}

async function lose(socket) {
    const lost = next(socket, "disconnect");
    cut(socket);
    await lost;
}

async function neverGotAnEvent() {
    const socket = client();
    await next(socket, "connect");
    check(!socket.recovered, "recovered at first");
    const id = socket.id;
    const back = next(socket, "connect");
    await lose(socket);
    await back;
    check(socket.recovered && socket.id === id, "not recovered");
    socket.disconnect();
}

async function missedEvents() {
    const socket = client();
    await next(socket, "connect");
    const id = socket.id;
    await socket.emitWithAck("join", "r");
    const seen = [];
    socket.onAny((event, ...values) => seen.push([event, ...values.slice(0, -1)].join(" ")));
    socket.emit("say-all", "a", 1);
    await next(socket, "a");
    for (let round = 0; round < 5; round++) {
        seen.length = 0;
        // The server sends as soon as it has noticed.
        socket.emit("when-gone", round);
        await socket.emitWithAck("sync");
        const back = next(socket, "connect");
        await lose(socket);
        await back;
        check(socket.recovered && socket.id === id, `round ${round}: not recovered`);
        await socket.emitWithAck("sync");
        // What is sent when the server has noticed comes now, or has come.
        while (seen.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
        check(seen.join() === `all ${round},room ${round},direct ${round}`, `round ${round}: ${seen}`);
    }
    check((await socket.emitWithAck("rooms")).sort().join() === [id, "r"].sort().join(), "rooms");
    socket.disconnect();
}

// The server says why in a field that this client does not know.
async function unknownSession() {
    const socket = client({ auth: { pid: "unknown" } });
    await next(socket, "connect");
    check(socket.connected && !socket.recovered && socket.id, "not connected");
    check(await socket.emitWithAck("failure") === "unknown_session", "the server's reason");
    socket.disconnect();
}

async function cutAtRandom() {
    const socket = client();
    const numbers = new Map();
    let connections = 0, anew = 0, count = 0;
    socket.on("n", (sender, number) => {
        if (!numbers.has(sender)) numbers.set(sender, []);
        numbers.get(sender).push(number);
        count += 1;
    });
    socket.on("connect", () => { if (connections++ > 0 && !socket.recovered) anew += 1; });
    await next(socket, "connect");
    const total = 500, senders = 4;
    await socket.emitWithAck("numbers", total);
    let goal = 50;
    while (count < total * senders) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        if (count >= goal && count < total * senders - 100) {
            goal = count + 20 + Math.floor(Math.random() * 150);
            cut(socket);
        }
    }
    await socket.emitWithAck("sync");
    check(connections > 3, `only ${connections} connections`);
    check(anew === 0, `${anew} of ${connections} connections began anew`);
    check(numbers.size === senders, `${numbers.size} senders`);
    for (const [sender, list] of numbers) {
        check(list.length === total && list.every((n, index) => n === index), `${sender}: ${list.length} numbers`);
    }
    socket.disconnect();
}

for (const test of [neverGotAnEvent, missedEvents, unknownSession, cutAtRandom]) {
    begin(test.name);
    await test();
    console.log(`ok node recovery ${test.name}`);
}
end(0);
