// The checks of CONTRACT.md for the official JavaScript client, in Node.js and in a browser. A plain script: it defines
// globalThis.interop.
//
//   await interop.run(io, url, { mode, blobs, report })
//
// mode: "polling", "websocket" or "upgrade" · blobs: whether the platform can send a Blob
// report(name): a check begins.
// Resolves with the names of the checks; rejects with the first failure, its message starting with the check's name.
"use strict";

globalThis.interop = (() => {
    // Milliseconds. A deadline only: nothing waits longer than it must.
    const CHECK_LIMIT = 15_000;
    const TRANSPORTS = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] };

    const allBytes = (count = 256) => Uint8Array.from({ length: count }, (_, index) => index & 255);
    const bytes = (...values) => Uint8Array.from(values);

    const VALUES = [
        null, true, false, 0, 1, -1, 42, 1.5, -0.25, 1e21, 1e-7, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER,
        Number.MAX_VALUE, Number.MIN_VALUE, "", "text", "žluťoučký kůň, 漢字, עברית, 🎉👩‍👩‍👧",
        "\"quoted\" \\ / \b\f\n\r\t\0\x1e\x1f\x7f\u2028\u2029\ufeff", [], {}, [[]], [{}], { "": "" },
        { 10: 1, 9: 2, a: 3, "clé 🔑": [null, { deep: [1, [2, [3]]] }] }, { _placeholder: false, num: 0 },
        "451-[\"not a packet\"]", "1/custom,",
    ];

    const binaryValues = () => [
        allBytes(),
        allBytes().buffer,
        bytes(4),
        [bytes(), "empty"],
        [bytes(0), bytes(255, 254), bytes(0)],
        { file: { name: "a.bin", parts: [bytes(1, 2), { more: bytes(3) }] }, size: 6, nothing: null },
        [{ z: bytes(26), a: bytes(1) }, [[bytes(7)]], "text", 1],
        Array.from({ length: 10 }, (_, index) => allBytes(index + 1)),
    ];

    // --- Comparing --------------------------------------------------------------------------------------------------

    const asBytes = (value) => {
        if (value instanceof ArrayBuffer) return new Uint8Array(value);
        return ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : null;
    };

    function same(a, b) {
        const x = asBytes(a), y = asBytes(b);
        if (x || y) return Boolean(x && y) && x.length === y.length && x.every((byte, index) => byte === y[index]);
        if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return a === b;
        if (Array.isArray(a) !== Array.isArray(b)) return false;
        const keys = Object.keys(a);
        return keys.length === Object.keys(b).length
            && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
    }

    function show(value) {
        const text = JSON.stringify(value, (_, inner) => {
            const binary = asBytes(inner);
            return binary ? `<${binary.length} bytes: ${[...binary.slice(0, 8)]}>` : inner;
        }) ?? String(value);
        return text.length <= 200 ? text : `${text.slice(0, 180)}… (${text.length} characters)`;
    }

    function equal(got, expected, what) {
        if (!same(got, expected)) throw new Error(`${what}: expected ${show(expected)}, got ${show(got)}`);
    }

    // --- Peers ------------------------------------------------------------------------------------------------------

    class Queue {
        items = [];
        waiting = [];

        push(item) {
            const next = this.waiting.shift();
            if (next) next(item); else this.items.push(item);
        }

        next() {
            if (this.items.length > 0) return Promise.resolve(this.items.shift());
            return new Promise((resolve) => this.waiting.push(resolve));
        }
    }

    // A socket of one namespace. Everything that arrives waits in a queue of its event.
    class Peer {
        static waitingFor = "";

        queues = new Map();
        reply = null;

        constructor(socket) {
            this.socket = socket;
            for (const event of ["echo", "answer", "said"]) {
                socket.on(event, (...args) => this.queue(event).push(args));
            }
            socket.on("disconnect", (reason) => this.queue("disconnect").push([reason]));
            socket.on("connect", () => this.queue("connect").push(null));
            socket.on("connect_error", (error) => this.queue("connect").push(error));
            socket.on("question", (...args) => {
                const acknowledge = args.pop();
                this.queue("question").push(args);
                acknowledge(this.reply);
            });
        }

        queue(event) {
            if (!this.queues.has(event)) this.queues.set(event, new Queue());
            return this.queues.get(event);
        }

        next(event) {
            Peer.waitingFor = event;
            return this.queue(event).next();
        }

        pending(event) { return this.queue(event).items.length; }

        async expect(event, ...args) { equal(await this.next(event), args, event); }

        async connected() {
            const error = await this.next("connect");
            if (error) throw new Error(`connect_error: ${error.message}`);
            return this;
        }

        // The acknowledgement's arguments as an array.
        call(event, ...args) {
            Peer.waitingFor = `acknowledgement of ${event}`;
            return new Promise((resolve) => this.socket.emit(event, ...args, (...reply) => resolve(reply)));
        }

        // Comes back behind everything that the server sent before.
        async roundTrip() {
            const mark = `mark ${Math.random()}`;
            this.socket.emit("echo", mark);
            await this.expect("echo", mark);
        }
    }

    const room = (name) => `${name} ${Math.random().toString(36).slice(2)} 🏠`;

    // --- Checks -----------------------------------------------------------------------------------------------------

    class Suite {
        opened = [];

        constructor(io, url, mode, blobs) {
            Object.assign(this, { io, url, mode, blobs });
        }

        // A manager of its own, that is a connection of its own.
        manager(options = {}) {
            return new this.io.Manager(this.url, {
                transports: TRANSPORTS[this.mode], reconnection: false, autoConnect: false, ...options,
            });
        }

        join(manager, namespace = "/", auth = undefined) {
            const peer = new Peer(manager.socket(namespace, { auth }));
            this.opened.push(peer);
            peer.socket.connect();
            return peer;
        }

        peer(namespace, auth) { return this.join(this.manager(), namespace, auth).connected(); }

        upgraded(manager) {
            const engine = manager.engine;
            if (engine.transport.name === "websocket") return Promise.resolve();
            return new Promise((resolve, reject) => {
                engine.once("upgrade", resolve);
                engine.once("upgradeError", (error) => reject(new Error(`upgrade: ${error.message}`)));
                engine.once("close", (reason) => reject(new Error(`closed while it upgraded: ${reason}`)));
            });
        }

        closeAll() {
            for (const peer of this.opened.splice(0)) peer.socket.disconnect();
        }

        async connect() {
            const manager = this.manager();
            const peer = this.join(manager);
            await peer.connected();
            equal(manager.engine.transport.name === "websocket" || this.mode !== "websocket", true, "uses websocket");
            if (!/^[A-Za-z0-9_-]{20}$/.test(peer.socket.id)) throw new Error(`odd id ${show(peer.socket.id)}`);
            if (peer.socket.id === manager.engine.id) throw new Error("the socket's id is that of the session");
            equal(await peer.call("whoami"), [peer.socket.id], "whoami");
            if (this.mode === "upgrade") await this.upgraded(manager);
            equal(manager.engine.transport.name, this.mode === "polling" ? "polling" : "websocket", "transport");
            await peer.roundTrip();
            peer.socket.disconnect();
            await peer.expect("disconnect", "io client disconnect");
        }

        // Numbered echoes, sent all the time from before the upgrade until behind it.
        async order() {
            const manager = this.manager();
            const peer = await this.join(manager).connected();
            let sent = 0;
            const send = (count) => {
                for (let step = 0; step < count; step++, sent++) {
                    peer.socket.emit("echo", sent, sent % 7 === 0 ? bytes(sent & 255) : "text");
                }
            };
            let upgraded = this.mode !== "upgrade";
            if (!upgraded) this.upgraded(manager).then(() => { upgraded = true; });
            send(100);
            for (let received = 0, rest = 200; received < sent; received++) {
                await peer.expect("echo", received, received % 7 === 0 ? bytes(received & 255) : "text");
                if (!upgraded) send(1);
                else if (rest > 0) { send(10); rest -= 10; }
            }
        }

        async echo() {
            const peer = await this.peer();
            for (const value of VALUES) {
                peer.socket.emit("echo", value);
                await peer.expect("echo", value);
            }
            peer.socket.emit("echo");
            await peer.expect("echo");
            peer.socket.emit("echo", ...VALUES);
            await peer.expect("echo", ...VALUES);
            // What JavaScript makes of its own values on the way to JSON.
            peer.socket.emit("echo", [undefined, NaN, Infinity, -0], new Date(0), { gone: undefined });
            await peer.expect("echo", [null, null, null, 0], "1970-01-01T00:00:00.000Z", {});
        }

        async binary() {
            const peer = await this.peer();
            const values = binaryValues();
            for (const value of values) {
                peer.socket.emit("echo", value);
                await peer.expect("echo", value);
            }
            peer.socket.emit("echo", ...values.slice(0, 5), "last");
            await peer.expect("echo", ...values.slice(0, 5), "last");
            equal(await peer.call("binary-info", allBytes().subarray(7)), [249, 7], "binary-info");
            equal(await peer.call("binary-info", new ArrayBuffer(1000)), [1000, 0], "binary-info");
            equal(await peer.call("binary-info", new Float64Array(4)), [32, 0], "binary-info");
            if (this.blobs) {
                peer.socket.emit("echo", { blob: new Blob(["in ", "parts"]) }, "then text");
                await peer.expect("echo", { blob: new TextEncoder().encode("in parts") }, "then text");
            }
        }

        async acksFromServer() {
            const peer = await this.peer();
            for (const value of VALUES) equal(await peer.call("echo-ack", value), [value], "acknowledgement");
            equal(await peer.call("echo-ack"), [], "acknowledgement without arguments");
            equal(await peer.call("echo-ack", 1, "two", [3]), [1, "two", [3]], "acknowledgement");
            for (const value of binaryValues()) {
                equal(await peer.call("echo-ack", value, "and text"), [value, "and text"], "binary acknowledgement");
            }
            const numbers = Array.from({ length: 50 }, (_, index) => index);
            const replies = await Promise.all(numbers.map((number) => peer.call("echo-ack", number)));
            equal(replies, numbers.map((number) => [number]), "50 acknowledgements at once");
            equal(await peer.socket.timeout(CHECK_LIMIT).emitWithAck("echo-ack", "promise"), "promise", "emitWithAck");
        }

        async acksToServer() {
            const manager = this.manager();
            for (const namespace of ["/", "/custom"]) {
                const peer = await this.join(manager, namespace).connected();
                const replies = ["yes", 42, null, { a: [1, null] }, allBytes(), { b: [bytes(1), { c: bytes(2) }] }];
                for (const reply of replies) {
                    peer.reply = reply;
                    peer.socket.emit("ask", ["what", reply]);
                    await peer.expect("question", ["what", reply]);
                    await peer.expect("answer", reply);
                }
            }
        }

        async namespaces() {
            const manager = this.manager();
            const main = await this.join(manager).connected();
            const custom = await this.join(manager, "/custom").connected();
            const other = await this.peer("/custom");
            if (main.socket.id === custom.socket.id) throw new Error("the same id in two namespaces");
            equal(await custom.call("whoami"), [custom.socket.id], "whoami in /custom");
            custom.socket.emit("echo", "custom", bytes(0));
            await custom.expect("echo", "custom", bytes(0));
            await main.roundTrip();
            equal(main.pending("echo"), 0, "events of /custom that came in /");
            // The same room name in two namespaces is two rooms.
            const name = room("both");
            for (const peer of [main, custom]) equal(await peer.call("join", name), ["ok"], "join");
            other.socket.emit("room-say", name, "for custom", null);
            await custom.expect("said", "for custom");
            await main.roundTrip();
            equal(main.pending("said"), 0, "broadcasts of /custom that came in /");
            // Leaving one namespace leaves the others, and the client may come back.
            custom.socket.disconnect();
            await custom.expect("disconnect", "io client disconnect");
            await main.roundTrip();
            custom.socket.connect();
            await custom.connected();
            await custom.roundTrip();
            other.socket.emit("room-say", name, "nobody is left here", null);
            await other.roundTrip();
            await custom.roundTrip();
            equal(custom.pending("said"), 0, "broadcasts to the rooms of a namespace that was left");
        }

        async refusals() {
            const manager = this.manager();
            const main = await this.join(manager).connected();
            const refused = async (namespace, auth, message, data) => {
                const peer = this.join(manager, namespace, auth);
                const error = await peer.next("connect");
                if (!error) throw new Error(`${namespace} let in a client with ${show(auth)}`);
                equal([error.message, error.data], [message, data], `refusal of ${namespace}`);
                await main.roundTrip();
                return peer;
            };
            await refused("/unknown", undefined, "Invalid namespace", undefined);
            const peer = await refused("/auth", { token: "wrong" }, "not authorized", { code: 401 });
            peer.socket.auth = { token: "secret" };
            peer.socket.connect();
            await peer.connected();
            await peer.roundTrip();
        }

        async rooms() {
            const a = await this.peer(), b = await this.peer();
            const name = room("main"), other = room("other");
            for (const peer of [a, b]) equal(await peer.call("join", name), ["ok"], "join");
            equal(await b.call("join", other), ["ok"], "join");

            a.socket.emit("room-say", name, "to all", null);
            for (const peer of [a, b]) await peer.expect("said", "to all");
            // What must not arrive is proved by what arrives behind it.
            a.socket.emit("room-say", name, "not to b", other);
            a.socket.emit("room-say", name, "to all again", null);
            await a.expect("said", "not to b");
            for (const peer of [a, b]) await peer.expect("said", "to all again");

            a.socket.emit("to-room", name, "sender excluded");
            a.socket.emit("room-say", name, "behind it", null);
            await b.expect("said", "sender excluded");
            for (const peer of [a, b]) await peer.expect("said", "behind it");

            equal(await b.call("leave", name), ["ok"], "leave");
            a.socket.emit("room-say", name, "b has left", null);
            await a.expect("said", "b has left");
            await b.roundTrip();
            // Who is in none of the rooms may still speak to them, and an id is a room.
            b.socket.emit("room-say", name, "from outside", null);
            await a.expect("said", "from outside");
            a.socket.emit("room-say", b.socket.id, "just you", null);
            await b.expect("said", "just you");
            await a.roundTrip();
            for (const peer of [a, b]) equal(peer.pending("said"), 0, "broadcasts too many");
        }

        async kicks() {
            for (const close of [false, true]) {
                const manager = this.manager();
                const main = await this.join(manager).connected();
                const custom = await this.join(manager, "/custom").connected();
                if (this.mode === "upgrade") await this.upgraded(manager);
                custom.socket.emit("kick", close);
                await custom.expect("disconnect", "io server disconnect");
                if (close) {
                    await main.expect("disconnect", "io server disconnect");
                } else {
                    await main.roundTrip();
                    equal(main.pending("disconnect"), 0, "disconnections of / by a kick out of /custom");
                }
            }
        }

        async big() {
            const text = "0123456789abcdeř🎉".repeat(200_000 / 17);
            const data = allBytes(200_000);
            const peer = await this.peer();
            peer.socket.emit("echo", text);
            await peer.expect("echo", text);
            equal(await peer.call("binary-info", data), [data.length, 0], "binary-info");
            peer.socket.emit("echo", data, { again: data });
            await peer.expect("echo", data, { again: data });
            equal(await peer.call("echo-ack", text, data), [text, data], "acknowledgement");
            equal(peer.pending("disconnect"), 0, "disconnections");
        }

        async reconnect() {
            const manager = this.manager({
                reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 100, randomizationFactor: 0,
            });
            const peers = [this.join(manager), this.join(manager, "/custom")];
            for (const peer of peers) await peer.connected();
            if (this.mode === "upgrade") await this.upgraded(manager);
            const [main] = peers;
            const name = room("lost"), old = main.socket.id;
            equal(await main.call("join", name), ["ok"], "join");
            manager.engine.close();
            // Kept by the client until it is connected again.
            main.socket.emit("echo", "buffered");
            for (const peer of peers) {
                await peer.next("disconnect");
                await peer.connected();
            }
            await main.expect("echo", "buffered");
            if (main.socket.id === old) throw new Error("a new connection has the old socket's id");
            main.socket.emit("room-say", name, "nobody is left here", null);
            for (const peer of peers) await peer.roundTrip();
            equal(main.pending("said"), 0, "broadcasts to the rooms of the lost connection");

            main.socket.disconnect().connect();
            await main.connected();
            await main.roundTrip();
        }
    }

    const CHECKS = [
        "connect", "order", "echo", "binary", "acksFromServer", "acksToServer", "namespaces", "refusals", "rooms",
        "kicks", "big", "reconnect",
    ];

    async function run(io, url, { mode, blobs = false, report = () => {} }) {
        const suite = new Suite(io, url, mode, blobs);
        const names = [];
        for (const check of CHECKS) {
            const name = `${mode}: ${check.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`;
            report(name);
            let timer;
            const deadline = new Promise((_, reject) => {
                timer = setTimeout(() => reject(new Error(
                    `nothing came within ${CHECK_LIMIT / 1000} s, last waited for: ${Peer.waitingFor}`)), CHECK_LIMIT);
            });
            try {
                await Promise.race([suite[check](), deadline]);
            } catch (error) {
                throw new Error(`${name}: ${error.message}`);
            } finally {
                clearTimeout(timer);
                suite.closeAll();
            }
            names.push(name);
        }
        return names;
    }

    return { Peer, run };
})();
