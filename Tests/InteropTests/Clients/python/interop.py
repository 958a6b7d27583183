"""Checks a server of CONTRACT.md with python-socketio: `interop.py PORT polling|websocket|upgrade [default|msgpack]`."""

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

VALUES = [
    None, True, False, 0, 1, -1, 42, 1.5, -0.25, 1e21, 1e-7, 2**53 - 1, -(2**53 - 1), 1.7976931348623157e308, 5e-324,
    "", "text", "žluťoučký kůň, 漢字, עברית, 🎉👩‍👩‍👧", "\"quoted\" \\ / \b\f\n\r\t\x00\x1e\x1f\x7f\u2028\u2029\ufeff",
    [], {}, [[]], [{}], {"": ""}, {"10": 1, "9": 2, "a": 3, "clé 🔑": [None, {"deep": [1, [2, [3]]]}]},
    {"_placeholder": False, "num": 0}, "451-[\"not a packet\"]", "1/custom,",
]

BINARY = [
    ALL_BYTES,
    b"\x04",
    [b"", "empty"],
    [b"\x00", b"\xff\xfe", b"\x00"],
    {"file": {"name": "a.bin", "parts": [b"one", {"more": b"two"}]}, "size": 6, "nothing": None},
    [{"z": b"z", "a": b"a"}, [[b"nested"]], "text", 1],
    [bytes([index]) * index for index in range(1, 11)],
]


class Peer:
    """One connection. Everything that arrives waits in a queue of its event."""

    serializer = "default"

    def __init__(self, progress, port, transport, namespaces=("/",), auth=None, reconnection=False):
        self.progress = progress
        self.url = f"http://127.0.0.1:{port}"
        self.transport = transport
        self.namespaces = list(namespaces)
        self.auth = auth
        self.queues = {}
        self.reply = None
        self.client = socketio.AsyncClient(
            reconnection=reconnection, reconnection_delay=0.05, reconnection_delay_max=0.2, randomization_factor=0,
            handle_sigint=False, serializer=self.serializer)
        for namespace in self.namespaces:
            for event in ("connect", "disconnect", "connect_error", "echo", "answer", "said"):
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
        return self

    async def __aexit__(self, *_):
        await self.sent()
        await self.client.shutdown()

    async def sent(self):
        """Waits until everything was posted. python-engineio forgets what it has to send, its own closing packet
        included, when it is told to disconnect while a POST is under way: its writer stops as soon as the state changes."""
        if self.client.eio.state == "connected" and self.client.transport() == "polling":
            await asyncio.wait_for(self.client.eio.queue.join(), CHECK_LIMIT)

    async def connect(self):
        self.progress.waiting_for = "the connection"
        await self.client.connect(
            self.url, namespaces=self.namespaces, auth=self.auth, transports=TRANSPORTS[self.transport],
            wait_timeout=CHECK_LIMIT)
        expected = "polling" if self.transport == "polling" else "websocket"
        equal(self.client.transport(), expected, "transport after connecting")

    def sid(self, namespace="/"):
        return self.client.get_sid(namespace)

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
    return f"{name} {uuid.uuid4().hex[:8]} 🏠"


class Suite:
    def __init__(self, progress, port, transport):
        self.progress = progress
        self.port = port
        self.transport = transport

    def peer(self, *namespaces, **options):
        return Peer(self.progress, self.port, self.transport, namespaces or ("/",), **options)

    async def connect(self):
        async with self.peer() as peer:
            sid = peer.sid()
            if not isinstance(sid, str) or len(sid) != 20:
                raise Failed(f"the socket's id is not 20 characters: {sid!r}")
            if sid == peer.client.eio.sid:
                raise Failed("the socket's id is that of the Engine.IO session, which is a secret")
            await peer.sent()
            await peer.client.disconnect()
        if self.transport == "upgrade":
            async with aiohttp.ClientSession() as http:
                async with http.get(f"http://127.0.0.1:{self.port}/socket.io/?EIO=4&transport=polling") as response:
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
            equal(await peer.call("binary-info", b"\x00" * 1000), [1000, 0], "acknowledgement of binary-info")

    async def acks_from_server(self):
        async with self.peer() as peer:
            for value in VALUES[1:]:
                equal(await peer.call("echo-ack", value), [value], "acknowledgement")
            equal(await peer.call("echo-ack"), [], "acknowledgement without arguments")
            equal(await peer.call("echo-ack", 1, "two", [3]), [1, "two", [3]], "acknowledgement")
            for value in BINARY:
                equal(await peer.call("echo-ack", value, "and text"), [value, "and text"], "binary acknowledgement")
            calls = [peer.call("echo-ack", number) for number in range(50)]
            equal(await asyncio.gather(*calls), [[number] for number in range(50)], "50 acknowledgements at once")
            equal(await peer.call("whoami"), [peer.sid()], "whoami")

    async def acks_to_server(self):
        async with self.peer("/", "/custom") as peer:
            for namespace in ("/", "/custom"):
                for reply in ["yes", 42, None, {"a": [1, None]}, ALL_BYTES, {"b": [b"x", {"c": b"y"}]}]:
                    peer.reply = reply
                    await peer.emit("ask", ["what", reply], namespace=namespace)
                    await peer.expect("question", ["what", reply], namespace=namespace)
                    await peer.expect("answer", reply, namespace=namespace)

    async def namespaces(self):
        async with self.peer("/", "/custom") as peer, self.peer("/custom") as other:
            if peer.sid("/") == peer.sid("/custom"):
                raise Failed("a connection has the same id in two namespaces")
            for namespace in ("/custom", "/"):
                equal(await peer.call("whoami", namespace=namespace), [peer.sid(namespace)], f"whoami in {namespace}")
            await peer.emit("echo", "custom", b"\x00", namespace="/custom")
            await peer.expect("echo", "custom", b"\x00", namespace="/custom")
            await peer.round_trip("/")
            equal(peer.pending("echo", "/"), 0, "events of /custom that came in /")
            # The same room name in two namespaces is two rooms.
            name = room("both")
            for namespace in ("/", "/custom"):
                equal(await peer.call("join", name, namespace=namespace), ["ok"], "join")
            await other.emit("room-say", name, "for custom", None, namespace="/custom")
            await peer.expect("said", "for custom", namespace="/custom")
            await peer.round_trip("/")
            equal(peer.pending("said", "/"), 0, "broadcasts of /custom that came in /")

    async def refusals(self):
        await self.refused("/unknown", None, {"message": "Invalid namespace"})
        await self.refused("/auth", None, {"message": "not authorized", "data": {"code": 401}})
        await self.refused("/auth", {"token": "wrong"}, {"message": "not authorized", "data": {"code": 401}})
        async with self.peer("/auth", auth={"token": "secret"}) as peer:
            await peer.emit("echo", "let in", namespace="/auth")
            await peer.expect("echo", "let in", namespace="/auth")

    async def refused(self, namespace, auth, expected):
        peer = self.peer(namespace, auth=auth)
        try:
            await peer.connect()
            raise Failed(f"{namespace} let in a client with auth {auth}")
        except socketio.exceptions.ConnectionError:
            await peer.expect("connect_error", expected, namespace=namespace)
        finally:
            await peer.sent()
            await peer.client.shutdown()

    async def rooms(self):
        async with self.peer() as a, self.peer() as b:
            name, other = room("main"), room("other")
            for peer in (a, b):
                equal(await peer.call("join", name), ["ok"], "join")
            equal(await b.call("join", other), ["ok"], "join")

            await a.emit("room-say", name, "to all", None)
            await a.expect("said", "to all")
            await b.expect("said", "to all")
            # What must not arrive is proved by what arrives behind it.
            await a.emit("room-say", name, "not to b", other)
            await a.emit("room-say", name, "to all again", None)
            await a.expect("said", "not to b")
            await a.expect("said", "to all again")
            await b.expect("said", "to all again")

            await a.emit("to-room", name, "sender excluded")
            await a.emit("room-say", name, "behind it", None)
            await a.expect("said", "behind it")
            await b.expect("said", "sender excluded")
            await b.expect("said", "behind it")

            equal(await b.call("leave", name), ["ok"], "leave")
            await a.emit("room-say", name, "b has left", None)
            await a.expect("said", "b has left")
            await b.round_trip()
            # Who is in none of the rooms may still speak to them, and an id is a room.
            await b.emit("room-say", name, "from outside", None)
            await a.expect("said", "from outside")
            await a.emit("room-say", b.sid(), "just you", None)
            await b.expect("said", "just you")
            await a.round_trip()
            for peer in (a, b):
                equal(peer.pending("said"), 0, "broadcasts too many")

            # A socket that is gone is in no room; the others still are.
            equal(await b.call("join", name), ["ok"], "join")
            await b.sent()
            await b.client.disconnect()
            await a.emit("room-say", name, "b is gone", None)
            await a.expect("said", "b is gone")

    async def kicks(self):
        async with self.peer("/", "/custom") as peer:
            await peer.emit("kick", False, namespace="/custom")
            await peer.expect("disconnect", "server disconnect", namespace="/custom")
            await peer.round_trip("/")
            equal(peer.pending("disconnect", "/"), 0, "disconnections of / by a kick out of /custom")
        async with self.peer("/", "/custom") as peer:
            await peer.emit("kick", True)
            for namespace in ("/", "/custom"):
                await peer.expect("disconnect", "server disconnect", namespace=namespace)
            await peer.client.wait()
            equal(peer.client.connected, False, "connected after kick(true)")

    async def big(self):
        text = "0123456789abcdeř🎉" * (200_000 // 17)
        data = ALL_BYTES * 800
        async with self.peer() as peer:
            await peer.emit("echo", text)
            await peer.expect("echo", text)
            equal(await peer.call("binary-info", data), [len(data), 0], "acknowledgement of binary-info")
            await peer.emit("echo", data, {"again": data})
            await peer.expect("echo", data, {"again": data})
            equal(await peer.call("echo-ack", text, data), [text, data], "acknowledgement")
            equal(peer.pending("disconnect"), 0, "disconnections")

    async def reconnect(self):
        async with self.peer("/", "/custom", reconnection=True) as peer:
            for namespace in ("/", "/custom"):
                await peer.next("connect", namespace)
            name, old = room("lost"), peer.sid()
            equal(await peer.call("join", name), ["ok"], "join")
            await self.cut(peer.client.eio)
            for namespace in ("/", "/custom"):
                await peer.next("disconnect", namespace)
            for namespace in ("/", "/custom"):
                await peer.next("connect", namespace)
            if peer.sid() == old:
                raise Failed("a new connection has the old socket's id")
            await peer.emit("room-say", name, "nobody is left here", None)
            await peer.round_trip("/")
            await peer.round_trip("/custom")
            equal(peer.pending("said"), 0, "broadcasts to the rooms of the lost connection")

            await peer.sent()
            await peer.client.disconnect()
            await peer.connect()
            await peer.round_trip("/")

    async def cut(self, session):
        """Ends the transport without a word of Socket.IO, so that the client takes it for lost."""
        if session.transport() == "websocket":
            await session.ws.close()
            return
        async with aiohttp.ClientSession() as http:
            async with http.post(session.base_url, data="1") as response:
                equal(response.status, 200, "status of the answer to the close packet")

    async def threaded(self):
        """The client's other half: threads, requests and websocket-client."""
        await asyncio.to_thread(self.threaded_client)

    def threaded_client(self):
        client = socketio.SimpleClient(handle_sigint=False, serializer=Peer.serializer)
        client.connect(f"http://127.0.0.1:{self.port}", namespace="/custom", wait_timeout=CHECK_LIMIT,
                       transports=TRANSPORTS[self.transport])
        try:
            equal(client.transport, "polling" if self.transport == "polling" else "websocket", "transport")
            for value in [["text", None, {"a": 1.5}], BINARY[3], "y" * 200_000]:
                client.emit("echo", (value,))
                equal(client.receive(timeout=CHECK_LIMIT), ["echo", value], "echo")
            equal(client.call("echo-ack", (BINARY[3],), timeout=CHECK_LIMIT), BINARY[3], "acknowledgement")
            equal(client.call("whoami", timeout=CHECK_LIMIT), client.sid, "whoami")
        finally:
            client.disconnect()


async def main(progress, port, transport):
    suite = Suite(progress, port, transport)
    for name in ("connect", "echo", "order", "binary", "acks_from_server", "acks_to_server", "namespaces", "refusals",
                 "rooms", "kicks", "big", "reconnect", "threaded"):
        await progress.check(f"python {transport}: {name.replace('_', ' ')}", getattr(suite, name)())


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[2] not in TRANSPORTS or sys.argv[3:] not in ([], ["default"], ["msgpack"]):
        usage("usage: interop.py PORT polling|websocket|upgrade [default|msgpack]")
    Peer.serializer = (sys.argv[3:] or ["default"])[0]
    run(lambda progress: main(progress, port_argument(sys.argv[1]), sys.argv[2]))
