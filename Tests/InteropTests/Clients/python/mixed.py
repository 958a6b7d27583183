"""One of several clients in a room, of whatever version of python-socketio it is run with: `mixed.py PORT
polling|websocket ROOM NAME NAMES`. NAMES are those of all of them, with commas."""

import asyncio
import sys

import engineio
import socketio
from checks import CHECK_LIMIT, equal, port_argument, run, usage

engineio.payload.Payload.max_decode_packets = 1000
COUNT = 20


def data(name, number):
    """Text and binary data in turn."""
    return {"from": name, "number": number, "data": bytes([number]) * number if number % 2 else "ř" * number}


async def main(progress, port, transport, room, name, names):
    await progress.check(f"mixed room: {name}", talk(port, transport, room, name, names))


async def talk(port, transport, room, name, names):
    client = socketio.AsyncClient(reconnection=False)
    connected = asyncio.Event()
    news = asyncio.Condition()
    said = set()
    received = {other: [] for other in names}

    @client.on("connect")
    def connect():
        connected.set()

    @client.on("said")
    async def hear(text):
        async with news:
            said.add(text)
            news.notify_all()

    @client.on("data")
    async def receive(value):
        async with news:
            received[value["from"]].append(value)
            news.notify_all()

    async def until_all_said(word):
        """Says it until all have said it: those who come later have not heard it."""
        wanted = {f"{word} {other}" for other in names}
        while not wanted <= said:
            await client.emit("room-say", (room, f"{word} {name}", None))
            try:
                async with news:
                    await asyncio.wait_for(news.wait_for(lambda: wanted <= said), 0.1)
            except asyncio.TimeoutError:
                pass
        await client.emit("room-say", (room, f"{word} {name}", None))

    await client.connect(f"http://127.0.0.1:{port}", transports=[transport])
    await asyncio.wait_for(connected.wait(), CHECK_LIMIT)
    equal(await client.call("join", room, timeout=CHECK_LIMIT), "ok", "join")
    await until_all_said("here")
    for number in range(COUNT):
        await client.emit("room-data", (room, data(name, number)))
    async with news:
        await news.wait_for(lambda: all(len(values) >= COUNT for values in received.values()))
    for other, values in received.items():
        equal(values, [data(other, number) for number in range(COUNT)], f"what {other} has sent")
    # Nobody goes before all have said that they are through.
    await until_all_said("done")
    if transport == "polling":
        await asyncio.wait_for(client.eio.queue.join(), CHECK_LIMIT)
    await client.disconnect()


if __name__ == "__main__":
    if len(sys.argv) != 6 or sys.argv[2] not in ("polling", "websocket"):
        usage("usage: mixed.py PORT polling|websocket ROOM NAME NAMES")
    run(lambda progress: main(
        progress, port_argument(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5].split(",")))
