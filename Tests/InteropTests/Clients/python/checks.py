"""What the Python clients share: named checks with a deadline each and one for all."""

import asyncio
import os
import sys
import threading
import time

# Seconds. Deadlines only: nothing waits longer than it must.
CHECK_LIMIT = 15
TOTAL_LIMIT = 55
HARD_LIMIT = 60


class Failed(Exception):
    pass


def usage(message):
    print(message, file=sys.stderr)
    sys.exit(64)


def port_argument(text):
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        usage(f"not a port: {text}")
    return int(text)


def equal(got, expected, what):
    if not same(got, expected):
        raise Failed(f"{what}: expected {short(expected)}, got {short(got)}")


def same(a, b):
    """Equal as JSON values: 1 is 1.0 but not True."""
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b
    return type(a) is type(b) and a == b


def short(value):
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:180]}… ({len(text)} characters)"


class Progress:
    """Runs checks in turn and remembers which one is under way, for the message of whoever stops it."""

    def __init__(self):
        self.current = "start"
        self.waiting_for = ""
        self.passed = 0

    async def check(self, name, coroutine, limit=CHECK_LIMIT):
        self.current = name
        self.waiting_for = ""
        try:
            await asyncio.wait_for(coroutine, limit)
        except asyncio.TimeoutError:
            what = f", last waited for: {self.waiting_for}" if self.waiting_for else ""
            raise Failed(f"nothing came within {limit} s{what}") from None
        self.passed += 1
        print(f"ok {name}", flush=True)


def run(main):
    """Runs main(progress) and ends the process: 0, or 1 with the failed check on standard error."""
    progress = Progress()
    start = time.monotonic()

    def give_up():
        print(f"FAILED {progress.current}: stuck, stopped after {HARD_LIMIT} s", file=sys.stderr, flush=True)
        os._exit(1)

    watchdog = threading.Timer(HARD_LIMIT, give_up)
    watchdog.daemon = True
    watchdog.start()

    async def bounded():
        await asyncio.wait_for(main(progress), TOTAL_LIMIT)

    status = 0
    try:
        asyncio.run(bounded())
        print(f"passed {progress.passed} checks in {time.monotonic() - start:.1f} s", flush=True)
    except asyncio.TimeoutError:
        print(f"FAILED {progress.current}: all checks together took over {TOTAL_LIMIT} s", file=sys.stderr)
        status = 1
    except Exception as error:
        text = str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}"
        # One line, also of what playwright tells in twenty.
        text = " | ".join(line.strip() for line in text.splitlines() if line.strip())
        print(f"FAILED {progress.current}: {text}", file=sys.stderr)
        status = 1
    sys.stderr.flush()
    # Clients may leave threads behind when a check failed half way.
    os._exit(status)
