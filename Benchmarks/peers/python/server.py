"""python-socketio on uvicorn, with the events of bench-server: server.py PORT"""

import sys

import socketio
import uvicorn

sio = socketio.AsyncServer(async_mode="asgi")


@sio.on("echo")
async def echo(sid, payload):
    await sio.emit("echo", payload, to=sid)


@sio.on("echo-ack")
async def echo_ack(sid, payload):
    return payload


@sio.on("join")
async def join(sid, room):
    await sio.enter_room(sid, room)
    await sio.emit("joined", room, to=sid)


@sio.on("broadcast")
async def broadcast(sid, room, text, sequence):
    await sio.emit("msg", (text, sequence), room=room)


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.exit("usage: server.py PORT")
    uvicorn.run(
        socketio.ASGIApp(sio),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        backlog=1024,
        log_level="error",
    )
