"""Checks a server of CONTRACT.md with the official client in Chromium: `interop.py PORT`."""

import sys

from chromium import CLIENTS, WAIT_LIMIT, chromium, client_file
from checks import Failed, equal, port_argument, run, usage
from playwright.async_api import Error

BLANK = "<!doctype html><html lang=en><meta charset=utf-8><title>Interop</title>"


async def open_tab(context, port):
    """A blank page of the server's origin that has the client and the checks."""
    page = await context.new_page()
    page.set_default_timeout(WAIT_LIMIT)
    # Any answer gives a document of that origin, also "Transport unknown"; one that did not come over the network would
    # be kept from opening a WebSocket to this machine.
    await page.goto(f"http://127.0.0.1:{port}/socket.io/")
    await page.set_content(BLANK)
    await page.add_script_tag(path=client_file())
    await page.add_script_tag(path=CLIENTS / "shared" / "checks.js")
    return page


async def shared_checks(page, mode, progress):
    progress.current = f"browser {mode}"
    try:
        names = await page.evaluate("mode => interop.run(io, location.origin, { mode, blobs: true })", mode)
    except Error as error:
        raise Failed(error.message.splitlines()[0].removeprefix("Page.evaluate: ")) from None
    for name in names:
        progress.passed += 1
        print(f"ok browser {name}", flush=True)


CONNECT = """async (room) => {
    globalThis.peer = new interop.Peer(io());
    await peer.connected();
    return await peer.call("join", room);
}"""
SAY = "([event, ...args]) => { peer.socket.emit(event, ...args); }"
HEAR = "() => peer.next('said')"
HEARD = "async () => { await peer.roundTrip(); return peer.pending('said'); }"


async def two_tabs(context, port):
    room = "two tabs 🗂"
    a, b = await open_tab(context, port), await open_tab(context, port)
    for page in (a, b):
        equal(await page.evaluate(CONNECT, room), ["ok"], "join")
    await a.evaluate(SAY, ["room-say", room, "to both", None])
    for page in (a, b):
        equal(await page.evaluate(HEAR), ["to both"], "said")
    await b.evaluate(SAY, ["to-room", room, "to the other"])
    equal(await a.evaluate(HEAR), ["to the other"], "said")
    equal(await b.evaluate(HEARD), 0, "broadcasts to their sender")
    # A closed tab leaves its rooms; the other one goes on.
    await b.close()
    await a.evaluate(SAY, ["room-say", room, "alone", None])
    equal(await a.evaluate(HEAR), ["alone"], "said")
    equal(await a.evaluate(HEARD), 0, "broadcasts too many")
    await a.close()


async def main(progress, port):
    client_file()
    async with chromium() as browser:
        context = await browser.new_context()
        for mode in ("polling", "websocket", "upgrade"):
            page = await open_tab(context, port)
            await shared_checks(page, mode, progress)
            await page.close()
        await progress.check("browser: two tabs", two_tabs(context, port))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        usage("usage: interop.py PORT")
    run(lambda progress: main(progress, port_argument(sys.argv[1])))
