"""Checks a server of CONTRACT.md that serves protocol 4 too, with python-socketio 4: `interop_v2.py PORT
polling|websocket|upgrade`."""

import asyncio
import sys
import uuid

import aiohttp
import engineio
import socketio
from checks import CHECK_LIMIT, Failed, equal, port_argument, run, usage

TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": ["polling", "websocket"]}
ALL_BYTES = bytes(range(256))

# The client's own bound is 16 packets for one poll; the protocol has none.
engineio.payload.Payload.max_decode_packets = 1000

# No characters above U+FFFF: this client takes the lengths of payloads for numbers of characters, which are numbers of UTF-16
# units, and loses what follows such a text.
VALUES = [
    None, True, False, 0, 1, -1, 42, 1.5, -0.25, 1e21, 1e-7, 2**53 - 1, -(2**53 - 1), 1.7976931348623157e308, 5e-324,
    "", "text", "žluťoučký kůň, 漢字, עברית", "\"quoted\" \\ / \b\f\n\r\t\x00\x1e\x1f\x7f\u2028\u2029\ufeff",
    [], {}, [[]], [{}], {"": ""}, {"10": 1, "9": 2, "a": 3, "clé": [None, {"deep": [1, [2, [3]]]}]},
    {"_placeholder": False, "num": 0}, "451-[\"not a packet\"]", "1/custom,", "12:4x",
]

# None of no bytes: this client takes it for None.
BINARY = [
    ALL_BYTES,
    b"\x04",
    [b"\x00", "small"],
    [b"\x00", b"\xff\xfe", b"\x00"],
    {"file": {"name": "a.bin", "parts": [b"one", {"more": b"two"}]}, "size": 6, "nothing": None},
    [{"z": b"z", "a": b"a"}, [[b"nested"]], "text", 1],
    [bytes([index]) * index for index in range(1, 11)],
]


class Peer:
    """One connection. Everything that arrives waits in a queue of its event."""

    def __init__(self, progress, port, transport, namespaces=(), query=""):
        self.progress = progress
        self.url = f"http://127.0.0.1:{port}{query}"
        self.transport = transport
        self.namespaces = list(namespaces)
        self.queues = {}
        self.reply = None
        self.client = socketio.AsyncClient(reconnection=False)
        for namespace in ["/"] + [name.split("?")[0] for name in self.namespaces]:
            for event in ("connect", "disconnect", "connect_error", "echo", "answer", "said", "data"):
                self.client.on(event, self.receiver(event, namespace), namespace=namespace)
            self.client.on("question", self.question(namespace), namespace=namespace)

    def queue(self, event, namespace):
        return self.queues.setdefault((event, namespace), asyncio.Queue())

    def receiver(self, event, namespace):
        def receive(*arguments):
            self.queue(event, namespace).put_nowait(list(arguments))
        return receive

    def question(self, namespace):
        def question(*arguments):
            self.queue("question", namespace).put_nowait(list(arguments))
            return (self.reply,)
        return question

    async def __aenter__(self):
        await self.connect()
        for namespace in ["/"] + [name.split("?")[0] for name in self.namespaces]:
            await self.next("connect", namespace)
        return self

    async def __aexit__(self, *_):
        await self.sent()
        await self.client.disconnect()

    async def sent(self):
        if self.client.eio.state == "connected" and self.client.transport() == "polling":
            await asyncio.wait_for(self.client.eio.queue.join(), CHECK_LIMIT)

    async def connect(self):
        self.progress.waiting_for = "the connection"
        await self.client.connect(self.url, namespaces=self.namespaces, transports=TRANSPORTS[self.transport])
        expected = "polling" if self.transport == "polling" else "websocket"
        equal(self.client.transport(), expected, "transport after connecting")

    def sid(self, namespace="/"):
        return self.client.eio.sid if namespace == "/" else f"{namespace}#{self.client.eio.sid}"

    async def emit(self, event, *arguments, namespace="/"):
        await self.client.emit(event, arguments, namespace=namespace)

    async def call(self, event, *arguments, namespace="/"):
        """The acknowledgement's arguments as a list."""
        self.progress.waiting_for = f"acknowledgement of {event} in {namespace}"
        reply = await self.client.call(event, arguments, namespace=namespace, timeout=CHECK_LIMIT)
        return [] if reply is None else list(reply) if isinstance(reply, tuple) else [reply]

    async def next(self, event, namespace="/"):
        self.progress.waiting_for = f"{event} in {namespace}"
        return await self.queue(event, namespace).get()

    def pending(self, event, namespace="/"):
        return self.queue(event, namespace).qsize()

    async def expect(self, event, *arguments, namespace="/"):
        equal(await self.next(event, namespace), list(arguments), f"{event} in {namespace}")

    async def round_trip(self, namespace="/"):
        """Comes back behind everything that the server sent before."""
        mark = uuid.uuid4().hex
        await self.emit("echo", mark, namespace=namespace)
        await self.expect("echo", mark, namespace=namespace)


def room(name):
    return f"{name} {uuid.uuid4().hex[:8]} ř"


class Suite:
    def __init__(self, progress, port, transport):
        self.progress = progress
        self.port = port
        self.transport = transport

    def peer(self, *namespaces, **options):
        return Peer(self.progress, self.port, self.transport, namespaces, **options)

    async def connect(self):
        async with self.peer(query="?token=1") as peer:
            equal(await peer.call("whoami"), [peer.sid()], "whoami")
        if self.transport == "upgrade":
            async with aiohttp.ClientSession() as http:
                async with http.get(f"http://127.0.0.1:{self.port}/socket.io/?EIO=3&transport=polling") as response:
                    if '"upgrades":["websocket"]' not in await response.text():
                        raise Failed("the handshake offers no upgrade to websocket")

    async def echo(self):
        async with self.peer() as peer:
            for value in VALUES:
                await peer.emit("echo", value)
                await peer.expect("echo", value)
            await peer.emit("echo")
            await peer.expect("echo")
            await peer.emit("echo", *VALUES)
            await peer.expect("echo", *VALUES)
            # The last packet of a payload comes through whole.
            await peer.emit("echo", "🎉👩‍👩‍👧")
            await peer.expect("echo", "🎉👩‍👩‍👧")

    async def order(self):
        async with self.peer() as peer:
            for number in range(300):
                await peer.emit("echo", number, b"\x01" if number % 7 == 0 else "text")
            for number in range(300):
                await peer.expect("echo", number, b"\x01" if number % 7 == 0 else "text")

    async def binary(self):
        async with self.peer() as peer:
            for value in BINARY:
                await peer.emit("echo", value)
                await peer.expect("echo", value)
            await peer.emit("echo", *BINARY[:4], "last")
            await peer.expect("echo", *BINARY[:4], "last")
            equal(await peer.call("binary-info", ALL_BYTES[7:]), [249, 7], "acknowledgement of binary-info")

    async def acks_from_server(self):
        async with self.peer() as peer:
            for value in VALUES[1:]:
                equal(await peer.call("echo-ack", value), [value], "acknowledgement")
            equal(await peer.call("echo-ack", 1, "two", [3]), [1, "two", [3]], "acknowledgement")
            for value in BINARY:
                equal(await peer.call("echo-ack", value, "and text"), [value, "and text"], "binary acknowledgement")

    async def acks_to_server(self):
        async with self.peer("/custom") as peer:
            for namespace in ("/", "/custom"):
                for reply in ["yes", 42, None, {"a": [1, None]}, ALL_BYTES, {"b": [b"x", {"c": b"y"}]}]:
                    peer.reply = reply
                    await peer.emit("ask", ["what", reply], namespace=namespace)
                    await peer.expect("question", ["what", reply], namespace=namespace)
                    await peer.expect("answer", reply, namespace=namespace)

    async def namespaces(self):
        async with self.peer("/custom") as peer, self.peer("/custom") as other:
            for namespace in ("/custom", "/"):
                equal(await peer.call("whoami", namespace=namespace), [peer.sid(namespace)], f"whoami in {namespace}")
            await peer.emit("echo", "custom", b"\x00", namespace="/custom")
            await peer.expect("echo", "custom", b"\x00", namespace="/custom")
            await peer.round_trip("/")
            equal(peer.pending("echo", "/"), 0, "events of /custom that came in /")
            name = room("both")
            for namespace in ("/", "/custom"):
                equal(await peer.call("join", name, namespace=namespace), ["ok"], "join")
            await other.emit("room-say", name, "for custom", None, namespace="/custom")
            await peer.expect("said", "for custom", namespace="/custom")
            await peer.round_trip("/")
            equal(peer.pending("said", "/"), 0, "broadcasts of /custom that came in /")

    async def refusals(self):
        await self.refused("/unknown", {"message": "Invalid namespace"})
        await self.refused("/auth", {"code": 401})
        await self.refused("/auth?token=wrong", {"code": 401})
        async with self.peer("/auth?token=secret") as peer:
            await peer.emit("echo", "let in", namespace="/auth")
            await peer.expect("echo", "let in", namespace="/auth")

    async def refused(self, namespace, expected):
        peer = self.peer(namespace)
        await peer.connect()
        await peer.next("connect")
        await peer.expect("connect_error", expected, namespace=namespace.split("?")[0])
        await peer.round_trip()
        await peer.sent()
        await peer.client.disconnect()

    async def rooms(self):
        async with self.peer() as a, self.peer() as b:
            name, other = room("main"), room("other")
            for peer in (a, b):
                equal(await peer.call("join", name), ["ok"], "join")
            equal(await b.call("join", other), ["ok"], "join")
            await a.emit("room-say", name, "to all", None)
            await a.expect("said", "to all")
            await b.expect("said", "to all")
            await a.emit("room-say", name, "not to b", other)
            await a.emit("room-say", name, "to all again", None)
            await a.expect("said", "not to b")
            await a.expect("said", "to all again")
            await b.expect("said", "to all again")
            await a.emit("room-data", name, {"data": ALL_BYTES})
            await a.expect("data", {"data": ALL_BYTES})
            await b.expect("data", {"data": ALL_BYTES})
            # An id is a room.
            await b.emit("room-say", a.sid(), "just you", None)
            await a.expect("said", "just you")
            await b.round_trip()
            equal(b.pending("said"), 0, "broadcasts too many")

    async def kicks(self):
        async with self.peer("/custom") as peer:
            await peer.emit("kick", False, namespace="/custom")
            await peer.expect("disconnect", namespace="/custom")
            await peer.round_trip("/")
        peer = self.peer("/custom")
        await peer.connect()
        await peer.next("connect", "/custom")
        await peer.emit("kick", True)
        await peer.expect("disconnect")
        await asyncio.wait_for(peer.client.eio.wait(), CHECK_LIMIT)

    async def big(self):
        text = "0123456789abcdeř" * (200_000 // 17)
        data = ALL_BYTES * 800
        async with self.peer() as peer:
            await peer.emit("echo", text)
            await peer.expect("echo", text)
            equal(await peer.call("binary-info", data), [len(data), 0], "acknowledgement of binary-info")
            await peer.emit("echo", data, {"again": data})
            await peer.expect("echo", data, {"again": data})

    async def heartbeat(self):
        """The client pings, and would go away if it were not answered."""
        async with self.peer() as peer:
            await asyncio.sleep(1.5 * peer.client.eio.ping_interval)
            await peer.round_trip()
            equal(peer.pending("disconnect"), 0, "disconnections")

    async def threaded(self):
        """The client's other half: threads, requests and websocket-client."""
        await asyncio.to_thread(self.threaded_client)

    def threaded_client(self):
        import queue
        received = queue.Queue()
        client = socketio.Client(reconnection=False)
        client.on("connect", lambda: received.put("connected"), namespace="/custom")
        client.on("echo", lambda *arguments: received.put(list(arguments)), namespace="/custom")
        client.connect(f"http://127.0.0.1:{self.port}", namespaces=["/custom"], transports=TRANSPORTS[self.transport])
        try:
            equal(received.get(timeout=CHECK_LIMIT), "connected", "connection")
            for value in [["text", None, {"a": 1.5}], BINARY[3], "y" * 200_000]:
                client.emit("echo", (value,), namespace="/custom")
                equal(received.get(timeout=CHECK_LIMIT), [value], "echo")
            equal(client.call("echo-ack", (BINARY[3],), namespace="/custom", timeout=CHECK_LIMIT), BINARY[3],
                  "acknowledgement")
        finally:
            client.disconnect()


async def main(progress, port, transport):
    suite = Suite(progress, port, transport)
    for name in ("connect", "echo", "order", "binary", "acks_from_server", "acks_to_server", "namespaces", "refusals",
                 "rooms", "kicks", "big", "heartbeat", "threaded"):
        await progress.check(f"python 2 {transport}: {name.replace('_', ' ')}", getattr(suite, name)())


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in TRANSPORTS:
        usage("usage: interop_v2.py PORT polling|websocket|upgrade")
    run(lambda progress: main(progress, port_argument(sys.argv[1]), sys.argv[2]))
