"""Headless Chromium under playwright, for the clients of this folder."""

import contextlib
import os
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "python"))

from checks import usage  # noqa: E402
from playwright.async_api import async_playwright  # noqa: E402

# Milliseconds that playwright waits for anything: below the limit of a check.
WAIT_LIMIT = 12_000

CLIENTS = pathlib.Path(__file__).resolve().parent.parent


def client_file():
    directory = os.environ.get("SIO_JS_CLIENT_DIR") or usage(
        "SIO_JS_CLIENT_DIR is not set (see scripts/install-test-dependencies)")
    file = pathlib.Path(directory) / "socket.io.min.js"
    return file if file.is_file() else usage(f"no client at {file}")


@contextlib.asynccontextmanager
async def chromium():
    executable = os.environ.get("SIO_CHROMIUM") or usage(
        "SIO_CHROMIUM is not set (see scripts/install-test-dependencies)")
    async with async_playwright() as playwright:
        # The sandbox does not start for root and in most containers; shared memory is small there, too.
        browser = await playwright.chromium.launch(
            executable_path=executable, headless=True, chromium_sandbox=False,
            args=["--disable-dev-shm-usage", "--disable-gpu"])
        try:
            yield browser
        finally:
            await browser.close()
