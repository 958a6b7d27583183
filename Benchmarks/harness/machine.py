"""The machine that is measured on."""

import datetime
import os
import platform
import re
import subprocess


def output(*command, cwd=None):
    """What a command prints, or None if it can't be run or fails."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def _siblings(cpu):
    """The processors that share a core with this one."""
    text = _read(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").strip() or str(cpu)
    found = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def cores():
    """One processor of each core that this process may use."""
    chosen, taken = [], set()
    for cpu in sorted(os.sched_getaffinity(0)):
        if cpu not in taken:
            chosen.append(cpu)
            taken |= _siblings(cpu)
    return chosen


def description():
    model = re.search(r"^model name\s*:\s*(.+)$", _read("/proc/cpuinfo"), re.M)
    memory = re.search(r"^MemTotal:\s*(\d+) kB", _read("/proc/meminfo"), re.M)
    parts = [model.group(1) if model else platform.machine(), f"{len(cores())} cores"]
    if memory:
        parts.append(f"{round(int(memory.group(1)) / 2**20)} GiB")
    parts.append(f"{platform.system()} {platform.release()}")
    return ", ".join(parts)


def today():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
