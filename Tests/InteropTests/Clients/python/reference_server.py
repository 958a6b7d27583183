"""The server of CONTRACT.md made of python-socketio: `reference_server.py PORT`. Prints "ready" when it listens."""

import asyncio
import sys

import engineio
import socketio
from aiohttp import web
from checks import port_argument, usage


class Session(engineio.async_socket.AsyncSocket):
    async def receive(self, pkt):
        # Others let the poll of a client that has closed its session wait for the next ping.
        if pkt.packet_type == engineio.packet.CLOSE:
            await self.queue.put(engineio.packet.Packet(engineio.packet.NOOP))
        await super().receive(pkt)

    async def handle_post_request(self, environ):
        # A single read of the stream may return a part of the body only.
        body = asyncio.StreamReader()
        body.feed_data(await environ["aiohttp.request"].read())
        body.feed_eof()
        environ["wsgi.input"] = body
        await super().handle_post_request(environ)


engineio.async_socket.AsyncSocket = Session
engineio.payload.Payload.max_decode_packets = 1000


class Server(socketio.AsyncServer):
    async def _send_packet(self, eio_sid, pkt):
        # python-socketio has words of its own for a namespace that does not exist.
        if pkt.packet_type == socketio.packet.CONNECT_ERROR and pkt.data == "Unable to connect":
            pkt.data = {"message": "Invalid namespace"}
        await super()._send_packet(eio_sid, pkt)


class Contract(socketio.AsyncNamespace):
    async def on_connect(self, sid, environ, auth):
        if self.namespace == "/auth" and not (isinstance(auth, dict) and auth.get("token") == "secret"):
            raise socketio.exceptions.ConnectionRefusedError("not authorized", {"code": 401})

    async def on_echo(self, sid, *arguments):
        await self.emit("echo", arguments, to=sid)

    async def trigger_event(self, event, *arguments):
        handler = {"echo-ack": self.echo_ack, "room-say": self.room_say, "room-data": self.room_data, "to-room": self.to_room,
                   "binary-info": self.binary_info}.get(event)
        if handler is None:
            return await super().trigger_event(event, *arguments)
        return await handler(*arguments)

    async def echo_ack(self, sid, *arguments):
        return arguments

    async def on_ask(self, sid, value):
        async def answer(reply=None):
            await self.emit("answer", (reply,), to=sid)
        await self.emit("question", (value,), to=sid, callback=answer)

    async def on_join(self, sid, room):
        await self.enter_room(sid, room)
        return "ok"

    async def on_leave(self, sid, room):
        await self.leave_room(sid, room)
        return "ok"

    async def room_say(self, sid, room, text, except_room):
        members = self.server.manager.get_participants(self.namespace, except_room) if except_room else []
        await self.emit("said", text, room=room, skip_sid=[member for member, _ in members])

    async def room_data(self, sid, room, value):
        await self.emit("data", value, room=room)

    async def to_room(self, sid, room, text):
        await self.emit("said", text, room=room, skip_sid=sid)

    async def on_whoami(self, sid):
        return sid

    async def on_kick(self, sid, close):
        eio_sid = self.server.manager.eio_sid_from_sid(sid, self.namespace)
        namespaces = list(self.server.manager.get_namespaces()) if close else [self.namespace]
        for namespace in namespaces:
            member = self.server.manager.sid_from_eio_sid(eio_sid, namespace)
            if member is not None:
                await self.server.disconnect(member, namespace=namespace)
        if close:
            # Not here, which would keep the client's POST waiting.
            self.server.start_background_task(self.close_session, eio_sid)

    async def close_session(self, eio_sid):
        # In one poll with DISCONNECT, the close packet would overtake it in JavaScript clients.
        session = self.server.eio.sockets.get(eio_sid)
        if session is not None:
            await session.queue.join()
            await self.server.eio.disconnect(eio_sid)

    async def binary_info(self, sid, data):
        return len(data), data[0] if data else None


def application():
    server = Server(async_mode="aiohttp", async_handlers=False, max_http_buffer_size=1_000_000)
    for namespace in ("/", "/custom", "/auth"):
        server.register_namespace(Contract(namespace))
    app = web.Application()
    server.attach(app)
    return app


async def serve(port):
    runner = web.AppRunner(application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        usage("usage: reference_server.py PORT")
    try:
        asyncio.run(serve(port_argument(sys.argv[1])))
    except KeyboardInterrupt:
        pass
