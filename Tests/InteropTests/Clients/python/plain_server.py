"""A server of python-socketio as it is, for clients: `plain_server.py PORT [LOG]`; port 0 takes a free one.
With SIO_SERIALIZER=msgpack in the environment it speaks MessagePack.

Prints "ready PORT" when it listens. Everybody may join / and /custom, and /auth with the token "secret" in `auth`.
echo: emitted back. echo-ack: acknowledged with the same. ask: asks `question` and emits the answer as `answer`.
kick: disconnects the client from its namespace. note: acknowledged with true, and appended to LOG as a line.
flood N: emits `flood` 0…N-1 in a row. large N: acknowledged with a text of N characters.
"""

import asyncio
import os
import sys

import socketio
from aiohttp import web


class Plain(socketio.AsyncNamespace):
    log = None

    async def on_connect(self, sid, environ, auth):
        if self.namespace == "/auth" and not (isinstance(auth, dict) and auth.get("token") == "secret"):
            raise socketio.exceptions.ConnectionRefusedError("not authorized", {"code": 401})

    async def trigger_event(self, event, *arguments):
        # A hyphen is no part of a name.
        if event == "echo-ack":
            return arguments[1:]
        return await super().trigger_event(event, *arguments)

    async def on_echo(self, sid, *arguments):
        await self.emit("echo", arguments, to=sid)

    async def on_ask(self, sid, value):
        async def answer(*reply):
            await self.emit("answer", reply, to=sid)
        await self.emit("question", (value,), to=sid, callback=answer)

    async def on_kick(self, sid):
        await self.disconnect(sid)

    async def on_note(self, sid, *arguments):
        if self.log:
            self.log.write(" ".join(str(argument) for argument in arguments) + "\n")
            self.log.flush()
        return True

    async def on_large(self, sid, count):
        return "x" * count

    async def on_flood(self, sid, count):
        for number in range(count):
            await self.emit("flood", number, to=sid)


async def serve(port):
    server = socketio.AsyncServer(async_mode="aiohttp", async_handlers=False, ping_interval=5, ping_timeout=5,
                                  serializer=os.environ.get("SIO_SERIALIZER", "default"))
    for namespace in ("/", "/custom", "/auth"):
        server.register_namespace(Plain(namespace))
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
    await site.start()
    print("ready", site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        print("usage: plain_server.py PORT [LOG]", file=sys.stderr)
        sys.exit(64)
    if len(sys.argv) == 3:
        Plain.log = open(sys.argv[2], "a", encoding="utf-8")
    asyncio.run(serve(int(sys.argv[1])))
