"""Drives the chat page of `socketio serve` in Chromium: `chat.py PORT TOKEN [--serves-client]`.

The elements are found by role and label, so that this also shows that people who can't see the page can use it.
"""

import re
import sys
import uuid

from chromium import WAIT_LIMIT, chromium, client_file
from checks import Failed, equal, port_argument, run, usage
from playwright.async_api import expect

expect.set_options(timeout=WAIT_LIMIT)

HOSTILE = "<img src=x onerror=\"document.title='owned'\"> & <b>bold</b>"


class Browser:
    def __init__(self, browser, port, token, serves_client):
        self.browser = browser
        self.origin = f"http://127.0.0.1:{port}"
        self.token = token
        self.serves_client = serves_client
        self.lobby = f"lobby {uuid.uuid4().hex[:6]}"
        self.errors = []

    async def context(self, library=True):
        """Only the server is reachable. A library from elsewhere comes from the file, unless there is to be none."""
        context = await self.browser.new_context()
        context.set_default_timeout(WAIT_LIMIT)
        client = client_file()
        answered_elsewhere = not self.serves_client

        async def route(route):
            own = route.request.url.startswith(f"{self.origin}/")
            script = route.request.resource_type == "script"
            if script and not library:
                await route.abort()
            elif own:
                await route.continue_()
            elif script and answered_elsewhere:
                await route.fulfill(path=client, content_type="text/javascript",
                                    headers={"Access-Control-Allow-Origin": "*"})
            else:
                self.errors.append(f"the page asked for {route.request.url}")
                await route.abort()
        # The connection itself is left alone.
        await context.route(lambda url: not re.match(r"data:|[^?]*/socket\.io/\?", url), route)
        return context

    async def open(self, context):
        page = await context.new_page()
        page.on("pageerror", lambda error: self.errors.append(f"error in the page: {error}"))
        await page.goto(f"{self.origin}/")
        return page

    def unbroken(self):
        equal(self.errors, [], "what went wrong in the pages")


async def enter(page, name, room):
    form = page.get_by_role("tabpanel", name="Chat")
    await form.get_by_label("Your name").fill(name)
    await form.get_by_label("Room", exact=True).fill(room)
    await form.get_by_role("button", name="Join").click()
    await expect(page.get_by_role("heading", name=room)).to_be_visible()


async def say(page, text):
    await page.get_by_label("Message", exact=True).fill(text)
    await page.get_by_label("Message", exact=True).press("Enter")


def log(page):
    return page.get_by_role("log", name="Messages")


def people(page):
    return page.get_by_role("complementary", name="People and rooms").get_by_role("listitem")


async def missing_library(browser):
    context = await browser.context(library=False)
    page = await browser.open(context)
    alert = page.get_by_role("alert").filter(has_text="could not be loaded")
    await expect(alert).to_be_visible()
    await expect(alert).to_contain_text("--client-dir")
    await expect(page.get_by_label("Your name")).to_be_hidden()
    await context.close()


async def two_tabs(browser, ann, bob):
    for page in (ann, bob):
        await expect(page.get_by_role("status").first).to_have_text("Connected · websocket")
    await enter(ann, "Ann", browser.lobby)
    await expect(people(ann)).to_have_count(1)
    await enter(bob, "Bob", browser.lobby)
    for page in (ann, bob):
        await expect(people(page)).to_have_count(2)
        await expect(people(page).filter(has_text="Ann")).to_have_count(1)
        await expect(people(page).filter(has_text="Bob")).to_have_count(1)
    await expect(log(ann)).to_contain_text("Bob")

    await say(ann, "Hello, Bob 👋")
    await expect(log(bob)).to_contain_text("Hello, Bob 👋")
    await expect(log(ann)).to_contain_text("Hello, Bob 👋")
    await say(bob, HOSTILE)
    for page in (ann, bob):
        await expect(log(page)).to_contain_text(HOSTILE)
        equal(await log(page).locator("img").count(), 0, "elements made of a message")
    await say(ann, "once")
    await say(bob, "last")
    for page in (ann, bob):
        await expect(log(page)).to_contain_text("last")
        equal(await log(page).get_by_text("once", exact=True).count(), 1, "copies of a message")


async def typing(browser, ann, bob):
    await bob.get_by_label("Message", exact=True).press_sequentially("let me")
    await expect(ann.get_by_text("Bob is typing…")).to_be_visible()
    equal(await bob.get_by_text("is typing…").count(), 0, "indicators of oneself")
    await bob.get_by_label("Message", exact=True).press("Enter")
    await expect(log(ann)).to_contain_text("let me")
    await expect(ann.get_by_text("Bob is typing…")).to_have_count(0)


async def admin(browser, ann, bob):
    context = await browser.context()
    page = await browser.open(context)
    await page.get_by_role("tab", name="Chat").press("ArrowRight")
    await expect(page.get_by_role("tab", name="Admin")).to_have_attribute("aria-selected", "true")
    form = page.get_by_role("tabpanel", name="Admin")
    await form.get_by_label("Admin token").fill(f"{browser.token}-wrong")
    await form.get_by_role("button", name="Open").click()
    await expect(form.get_by_role("alert")).to_contain_text("Refused: ")
    await expect(form.get_by_role("heading", name=browser.lobby)).to_be_hidden()

    await form.get_by_label("Admin token").fill(browser.token)
    await form.get_by_role("button", name="Open").click()

    def room(name):
        return form.get_by_role("list", name="Rooms").locator("> li").filter(
            has=page.get_by_role("heading", name=name))
    for name in ("Ann", "Bob"):
        await expect(room(browser.lobby).get_by_role("listitem").filter(has_text=name)).to_have_count(1)

    # Bob moves without reloading: everybody sees it, and the rooms don't hear each other.
    attic = f"attic {uuid.uuid4().hex[:6]}"
    await bob.get_by_label("Another room").fill(attic)
    await bob.get_by_role("button", name="Go").click()
    await expect(bob.get_by_role("heading", name=attic)).to_be_visible()
    await expect(people(bob)).to_have_count(1)
    await expect(people(ann)).to_have_count(1)
    await expect(room(attic).get_by_role("listitem").filter(has_text="Bob")).to_have_count(1)
    await expect(room(browser.lobby).get_by_role("listitem")).to_have_count(1)
    await say(ann, "still here?")
    await expect(log(ann)).to_contain_text("still here?")
    await say(bob, "up here")
    await expect(log(bob)).to_contain_text("up here")
    if "still here?" in await log(bob).inner_text():
        raise Failed("a message of one room came in another")

    # Who comes back finds what was said.
    await bob.get_by_label("Another room").fill(browser.lobby)
    await bob.get_by_role("button", name="Go").click()
    await expect(log(bob)).to_contain_text("still here?")
    await expect(log(bob)).not_to_contain_text("up here")
    await expect(room(attic)).to_have_count(0)
    await context.close()


async def leaving(browser, ann, bob):
    await bob.get_by_role("button", name="Leave the chat").click()
    await expect(bob.get_by_label("Your name")).to_be_visible()
    await expect(people(ann)).to_have_count(1)
    await enter(bob, "Bob", browser.lobby)
    await expect(people(ann)).to_have_count(2)
    # A closed tab is noticed, too.
    await bob.close()
    await expect(people(ann)).to_have_count(1)
    await say(ann, "alone")
    await expect(log(ann)).to_contain_text("alone")


async def main(progress, port, token, serves_client):
    client_file()
    async with chromium() as chrome:
        browser = Browser(chrome, port, token, serves_client)
        await progress.check("chat: page without the client library", missing_library(browser))
        context = await browser.context()
        progress.current = "chat: opening the page"
        ann, bob = await browser.open(context), await browser.open(context)
        for name, check in [
            ("two tabs chat", two_tabs), ("typing indicator", typing), ("admin, moving", admin), ("leaving", leaving),
        ]:
            await progress.check(f"chat: {name}", check(browser, ann, bob))
        browser.unbroken()


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[3:] not in ([], ["--serves-client"]):
        usage("usage: chat.py PORT TOKEN [--serves-client]")
    run(lambda progress: main(progress, port_argument(sys.argv[1]), sys.argv[2], len(sys.argv) == 4))
