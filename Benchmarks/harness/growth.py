"""What becomes of costs when there is more of everything: GROWTH.md and growth.svg."""

import json
import subprocess

from harness import machine, plot

MEMBERS = [10, 100, 1000, 10000]
CONNECTIONS = [1000, 10000]
ROOMS_OF_EACH = 20


def measure(lab, ours, floor, open_files):
    """`open_files`: how many connections a process may have."""
    growth = {"delivery": [], "floor": [], "memory": [], "own_rooms": [], "shared_rooms": []}
    for members in MEMBERS:
        if members + 100 > open_files:
            print(f"skipping {members} members: the limit of open files is {open_files}", flush=True)
            continue
        print(f"{members} members …", flush=True)
        # One at a time: several under way would leave in one write, and a delivery would cost a part of one.
        load = f"broadcast --clients {members} --size 64 --window 1"
        medians = lab.compare([("delivery", ours, load), ("floor", floor, load)])
        for key, one in medians.items():
            growth[key].append((members, one["cpu_us"]))
    for connections in CONNECTIONS:
        if connections + 100 > open_files:
            continue
        print(f"{connections} connections …", flush=True)
        load = f"connect --clients {connections}"
        joins = f" --joins {ROOMS_OF_EACH}"
        medians = lab.compare([("own", ours, load + joins), ("shared", ours, load + joins + " --shared-rooms")])
        if "own" in medians and "shared" in medians:
            growth["memory"].append((connections, medians["own"]["bytes_per_connection"]))
            growth["own_rooms"].append((connections, medians["own"]["bytes_per_join"]))
            growth["shared_rooms"].append((connections, medians["shared"]["bytes_per_join"]))
    print("rooms and members in one process …", flush=True)
    cpus = ",".join(map(str, lab.server_cpus))
    done = subprocess.run(
        ["taskset", "-c", cpus, f"{lab.programs}/micro-bench", "growth"], capture_output=True, text=True, timeout=300
    )
    if done.returncode != 0:
        raise RuntimeError(f"micro-bench growth: {done.stderr.strip()}")
    growth.update(json.loads(done.stdout))
    return growth


def _table(heading, columns):
    """`columns` holds (title, points); all have the same x."""
    lines = [f"| {heading} | " + " | ".join(title for title, _ in columns) + " |", "| ---: |" + " ---: |" * len(columns)]
    for row in zip(*(points for _, points in columns)):
        lines.append(f"| {row[0][0]:,} | " + " | ".join(plot.number(value) for _, value in row) + " |")
    return "\n".join(lines)


def write(folder, ours, growth):
    swift, floor = plot.COLOURS["swift"], plot.COLOURS["floor"]
    blue = plot.COLOURS["python"]
    plot.panels(
        f"{folder}/growth.svg", "Costs while there is more of everything",
        [
            (
                "CPU time of a delivery, µs", "members of the room",
                [("swift-socketio", swift, False, growth["delivery"]), ("floor", floor, True, growth["floor"])],
            ),
            (
                "to(room), ns", "rooms",
                [
                    ("the same room", swift, False, growth["to_same_room"]),
                    ("all in turns", blue, True, growth["to_rooms_in_turns"]),
                ],
            ),
            (
                "leaving and joining, ns", "members of the room",
                [
                    ("the same member", swift, False, growth["rejoin_same_member"]),
                    ("all in turns", blue, True, growth["rejoin_in_turns"]),
                ],
            ),
            (
                "leaving and joining, ns", "rooms that the socket is in",
                [("both together", swift, False, growth["rejoin_with_other_rooms"])],
            ),
            ("memory of an idle connection, bytes", "connections", [("swift-socketio", swift, False, growth["memory"])]),
            (
                "memory of a joined room, bytes", "connections",
                [
                    ("of its own", swift, False, growth["own_rooms"]),
                    ("the same for all", blue, True, growth["shared_rooms"]),
                ],
            ),
        ],
    )
    text = [
        "# Growth",
        "Written by [`run-all`](run-all); do not edit. [`ARCHITECTURE.md`](../ARCHITECTURE.md) says why what does not stay flat\n"
        "does not.",
        f"{machine.today()}, {machine.description()}. {ours.title}: {ours.version}.",
        "![Charts of deliveries, rooms, members and memory](growth.svg)",
        "## A delivery",
        "CPU time of the server for each member of one room that a broadcast is delivered to, over real connections, and that of\n"
        "the [floor](Sources/floor-server): its growth is the system's, whose memory for 10,000 sockets is in no cache.",
        _table("members", [("µs", growth["delivery"]), ("floor, µs", growth["floor"])]),
        "## `to(room)`",
        "Encoding an event, finding the room and putting the event to its only member, with so many rooms in the namespace: always\n"
        "the same room; and all of them in no order, up to 100,000.",
        _table("rooms", [("the same, ns", growth["to_same_room"]), ("in turns, ns", growth["to_rooms_in_turns"])]),
        "## Joining and leaving",
        "A member of a room leaves it and joins it again: always the same one; and all of them in no order.",
        _table(
            "members", [("the same, ns", growth["rejoin_same_member"]), ("in turns, ns", growth["rejoin_in_turns"])]
        ),
        "The same by one socket that is in ever more rooms.",
        _table("rooms of the socket", [("ns", growth["rejoin_with_other_rooms"])]),
        "## Memory",
        f"Resident memory of the server's process for an idle connection over WebSocket; and for each of {ROOMS_OF_EACH} rooms that\n"
        "each connection joins then, of its own or the same for all.",
        _table(
            "connections",
            [
                ("bytes for a connection", growth["memory"]),
                ("for a room of its own", growth["own_rooms"]),
                ("for a shared room", growth["shared_rooms"]),
            ],
        ),
    ]
    with open(f"{folder}/GROWTH.md", "w") as file:
        file.write("\n\n".join(text) + "\n")
