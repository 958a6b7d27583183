"""The servers that are installed, and how they are started and ended."""

import contextlib
import dataclasses
import os
import socket
import subprocess
import time

from harness.machine import output

BENCHMARKS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@dataclasses.dataclass
class Server:
    key: str
    title: str
    version: str
    command: list

    def with_loops(self, count):
        return dataclasses.replace(self, command=self.command + ["--threads", str(count)])


def build():
    """Builds the package; returns the folder of its programs."""
    command = ["swift", "build", "-c", "release", "--package-path", BENCHMARKS]
    scratch = os.environ.get("SWIFT_SOCKETIO_BENCHMARKS_SCRATCH")
    if scratch:
        command += ["--scratch-path", scratch]
    subprocess.run(command, check=True)
    return subprocess.run(command + ["--show-bin-path"], check=True, capture_output=True, text=True).stdout.strip()


def _swift(programs):
    compiler = (output("swift", "--version") or "Swift").splitlines()[0]
    revision = output("git", "describe", "--always", "--dirty", "--tags", cwd=BENCHMARKS) or "unknown revision"
    compiler = compiler.partition("(")[2].partition(")")[0] or compiler
    return Server("swift", "swift-socketio", f"{revision}, {compiler}", [f"{programs}/bench-server", "--port", "{port}"])


def _node():
    folder = f"{BENCHMARKS}/peers/node"
    node = os.environ.get("SIO_NODE", "node")
    version = output(node, "-p", "require('socket.io/package.json').version", cwd=folder)
    if not version:
        return None
    runtime = output(node, "--version")
    return Server("node", "socket.io", f"socket.io {version}, Node.js {runtime}", [node, f"{folder}/server.js", "{port}"])


def _python():
    folder = f"{BENCHMARKS}/peers/python"
    question = (
        "import platform, importlib.metadata as m, socketio, uvicorn;"
        "print('python-socketio', m.version('python-socketio') + ', uvicorn', m.version('uvicorn') + ', Python',"
        " platform.python_version())"
    )
    for python in (os.environ.get("BENCH_PYTHON"), f"{folder}/.venv/bin/python", "python3"):
        version = output(python, "-c", question) if python else None
        if version:
            return Server("python", "python-socketio", version, [python, f"{folder}/server.py", "{port}"])
    return None


def find(programs):
    """All that are installed: ours first, the floor last."""
    floor = Server("floor", "floor", "a C program that parses nothing", [f"{programs}/floor-server", "{port}"])
    return [server for server in (_swift(programs), _node(), _python(), floor) if server]


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(server, cpus):
    """A fresh process of a server, on these processors only. Gives its port and process id."""
    port = _free_port()
    process = subprocess.Popen(
        [part.replace("{port}", str(port)) for part in server.command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, cpus),
    )
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{server.title} does not listen") from None
                time.sleep(0.05)
        time.sleep(0.2)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()
