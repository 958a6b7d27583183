"""Servers side by side: RESULTS.md and results.svg."""

import dataclasses
import statistics
import subprocess

from harness import machine, plot


@dataclasses.dataclass
class Case:
    title: str
    load: str


CASES = [
    Case("Echo, 100 clients", "echo --clients 100"),
    Case("Echo, 100 clients with 16 under way", "echo --clients 100 --pipeline 16"),
    Case("Acknowledgement", "ack --clients 100"),
    Case("Echo of 1 KiB of data", "echo --clients 100 --binary --size 1024"),
    Case("Echo of 16 KiB of text", "echo --clients 100 --size 16384"),
    Case("Echo over long-polling", "echo --clients 100 --transport polling"),
    Case("Delivery, a room of 1,000", "broadcast --clients 1000 --size 64 --window 1"),
    Case("Delivery, a room of 1,000, 4 under way", "broadcast --clients 1000 --size 64 --window 4"),
    Case("Delivery, 100 rooms of 10", "broadcast --clients 1000 --size 64 --rooms 100 --window 64"),
    Case("Opening a connection", "connect --clients 5000"),
]

LOOPS = [
    Case("Echo, 100 clients", "echo --clients 100"),
    Case("Delivery, a room of 1,000, one broadcast at a time", "broadcast --clients 1000 --size 64 --window 1"),
    Case("Delivery, a room of 1,000, 4 under way", "broadcast --clients 1000 --size 64 --window 4"),
    Case("Echo, 100 clients that upgraded and changed loops", "echo --clients 100 --transport upgraded"),
]

# Latency is compared at half of what a core does for this server.
REFERENCE = "node"

METHOD = """\
Each server has a fresh process for each run and a core of its own; the load generator ([bench-load](Sources/bench-load), one
thread, shares no code with any server and checks every byte it receives) has another. The servers take turns, {rounds} times;
the medians are shown. What is compared is the CPU time that the server's process takes for a message, user and system: it says
what a core can do, whoever of the two is the bottleneck. On loopback the system does much of the receiver's work in the
sender's time, for all servers alike. Handlers do the same in all servers: they take the argument apart and encode it anew
([bench-server](Sources/bench-server/BenchServer.swift), [Node.js](peers/node/server.js), [Python](peers/python/server.py)). The
floor ([floor-server](Sources/floor-server)) reads and writes and does nothing else."""


def measure(lab, servers):
    results = []
    for case in CASES:
        print(f"{case.title} …", flush=True)
        medians = lab.compare([(server.key, server, case.load) for server in servers])
        print("  " + ", ".join(f"{key} {one['cpu_us']:.2f} µs" for key, one in medians.items()), flush=True)
        results.append((case, medians))
    return results


def measure_loops(lab, server, all_cpus):
    """One event loop and two, both on two cores; the generator beside them, on a third core if there is one."""
    server_cpus, generator_cpus = set(all_cpus[:2]), set(all_cpus[2:3] or all_cpus[:2])
    results = []
    for case in LOOPS:
        print(f"One loop and two: {case.title} …", flush=True)
        runs = [(count, server.with_loops(count), case.load, server_cpus, generator_cpus) for count in (1, 2)]
        # Threads that share cores are measured less well.
        medians = lab.compare(runs, more_rounds=2)
        print("  " + ", ".join(f"{key}: {one['cpu_us']:.2f} µs" for key, one in medians.items()), flush=True)
        results.append((case, medians))
    return results


def measure_latency(lab, servers, results):
    """How long replies take at a rate that the reference bears with ease. None without it."""
    times = {key: one["cpu_us"] for key, one in results[0][1].items()}
    if REFERENCE not in times:
        return None
    rate = round(1e6 / times[REFERENCE] / 2 / 100) * 100
    print(f"Latency at {rate} a second …", flush=True)
    # Not all servers keep up.
    able = [server for server in servers if server.key in times and 1e6 / times[server.key] > rate]
    medians = lab.compare([(server.key, server, f"echo --clients 100 --rate {rate}") for server in able])
    print("  " + ", ".join(f"{key} {one['p50_us']:.0f}/{one['p99_us']:.0f} µs" for key, one in medians.items()), flush=True)
    return rate, medians


def measure_parts(programs, cpus):
    print("Parts …", flush=True)
    done = subprocess.run(
        ["taskset", "-c", ",".join(map(str, cpus)), f"{programs}/micro-bench"], capture_output=True, text=True, timeout=300
    )
    if done.returncode != 0:
        raise RuntimeError(f"micro-bench: {done.stderr.strip()}")
    return done.stdout.strip()


def _main_table(results, servers):
    ours, *others = servers
    lines = [
        "| CPU time, µs | " + " | ".join(server.title for server in servers) + " | "
        + " | ".join(f"{server.title} ÷ ours" for server in others if server.key != "floor")
        + " | ours ÷ floor |"
    ]
    columns = len(servers) + len([server for server in others if server.key != "floor"]) + 1
    lines.append("| --- |" + " ---: |" * columns)
    for case, medians in results:
        times = {key: one["cpu_us"] for key, one in medians.items()}
        cells = [plot.number(times[server.key]) if server.key in times else "failed" for server in servers]
        for server in others:
            both = server.key in times and ours.key in times
            if server.key != "floor":
                cells.append(plot.number(times[server.key] / times[ours.key]) if both else "")
        both = "floor" in times and ours.key in times
        cells.append(plot.number(times[ours.key] / times["floor"]) if both else "")
        lines.append(f"| {case.title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _rate_table(results, servers):
    lines = ["| thousand per second and core | " + " | ".join(server.title for server in servers) + " |"]
    lines.append("| --- |" + " ---: |" * len(servers))
    for case, medians in results:
        cells = [
            plot.number(1000 / medians[server.key]["cpu_us"]) if server.key in medians else "" for server in servers
        ]
        lines.append(f"| {case.title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _memory_table(results, servers):
    case, medians = results[-1]
    lines = ["| | " + " | ".join(server.title for server in servers) + " |", "| --- |" + " ---: |" * len(servers)]
    cells = [
        f"{plot.number(medians[server.key]['bytes_per_connection'])}" if server.key in medians else "" for server in servers
    ]
    lines.append("| bytes for an idle connection, of 5,000 | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _loop_table(loops):
    lines = [
        "| CPU time, µs | one loop | two loops | ratio | wake-ups | of two | busy, of two |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for case, medians in loops:
        one, two = medians.get(1), medians.get(2)
        if not one or not two:
            continue
        lines.append(
            f"| {case.title} | {plot.number(one['cpu_us'])} | {plot.number(two['cpu_us'])} | "
            f"{two['cpu_us'] / one['cpu_us']:.2f} | {one['wake_ups']:.3f} | "
            f"{two['wake_ups']:.3f} | "
            f"{two['busiest_thread'] * 100:.0f} % and {two['second_thread'] * 100:.0f} % |"
        )
    return "\n".join(lines)


def _latency_table(servers, medians):
    lines = ["| µs | " + " | ".join(server.title for server in servers) + " |", "| --- |" + " ---: |" * len(servers)]
    for title, name in (("median", "p50_us"), ("99th percentile", "p99_us")):
        cells = [plot.number(medians[server.key][name]) if server.key in medians else "" for server in servers]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write(folder, lab, servers, results, latency, loops, parts):
    rows = [(case.title, {key: one["cpu_us"] for key, one in medians.items()}) for case, medians in results]
    plot.dots(
        f"{folder}/results.svg", "CPU time of the server per message",
        "microseconds, logarithmic; less is better", rows, [(server.key, server.title) for server in servers],
    )
    waits = sorted(lab.waits) or [0]
    text = [
        "# Results",
        "Written by [`run-all`](run-all); do not edit. [README.md](README.md) says how to repeat it, [GROWTH.md](GROWTH.md) what\n"
        "becomes of these costs when there is more of everything.",
        f"{machine.today()}, {machine.description()}.",
        "\n".join(f"- {server.title}: {server.version}" for server in servers),
        "![CPU time per message, by case and server](results.svg)",
        "## A message",
        _main_table(results, servers),
        "The same as rates, if a core did nothing else:",
        _rate_table(results, servers),
        "## An idle connection",
        _memory_table(results, servers),
        "Resident memory of the server's process, a second after all have joined the main namespace over WebSocket. The system's\n"
        "own memory for sockets is not in it.",
    ]
    if latency:
        rate, medians = latency
        text += [
            "## Latency",
            f"Echoes to 100 clients, {rate:,} a second: half of what a core could do for Node.js if it did nothing else. A message is\n"
            "sent when it is due, whether or not replies have come, and its time counts from then. A server that could not bear\n"
            "the rate is left out. The generator does not sleep meanwhile.",
            _latency_table(servers, medians),
        ]
    if loops:
        text += [
            "## Two cores",
            "swift-socketio with one event loop and with two, both on two cores, which the generator shares unless there is a third:\n"
            "the CPU time of all threads for a message, and how often a thread was woken: two loops are woken more often, for each\n"
            "has less to do. The sessions that upgraded began with polling on one loop and have their WebSocket on the other.",
            _loop_table(loops),
        ]
    if parts:
        text += ["## Parts", "One thread; allocations are for an operation, too.", parts]
    text += ["## How it was measured", METHOD.format(rounds=lab.rounds)]
    text.append(
        f"Other work on the machine kept the servers waiting for {statistics.median(waits) * 100:.0f} % of the time "
        f"(median of {len(waits)} runs; at most {waits[-1] * 100:.0f} %)."
    )
    if lab.failures:
        text += ["## Failed", "\n".join(f"- {failure}" for failure in lab.failures)]
    with open(f"{folder}/RESULTS.md", "w") as file:
        file.write("\n\n".join(text) + "\n")
