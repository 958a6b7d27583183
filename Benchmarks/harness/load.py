"""Runs of bench-load against a server."""

import json
import os
import statistics
import subprocess

from harness import servers


class Lab:
    """Where things are measured: the programs, the processors, and how long a run takes."""

    def __init__(self, programs, server_cpus, generator_cpus, rounds, seconds):
        self.programs = programs
        self.server_cpus = server_cpus
        self.generator_cpus = generator_cpus
        self.rounds = rounds
        self.seconds = seconds
        self.failures = []
        self.waits = []

    def run(self, server, load, server_cpus=None, generator_cpus=None):
        """One run, against a fresh process of the server; None if it fails."""
        generator_cpus = generator_cpus or self.generator_cpus
        arguments = [f"{self.programs}/bench-load", *load.split()]
        if not load.startswith("connect"):
            arguments += ["--warm-up", str(self.seconds / 2), "--duration", str(self.seconds)]
        try:
            with servers.running(server, server_cpus or self.server_cpus) as (port, pid):
                done = subprocess.run(
                    arguments + ["--port", str(port), "--server-pid", str(pid)],
                    capture_output=True,
                    text=True,
                    timeout=180,
                    preexec_fn=lambda: os.sched_setaffinity(0, generator_cpus),
                )
            lines = done.stdout.strip().splitlines()
            result = json.loads(lines[-1]) if lines else {"ok": False, "error": done.stderr.strip() or "no result"}
        except (RuntimeError, subprocess.TimeoutExpired, ValueError) as error:
            result = {"ok": False, "error": str(error)}
        if not result["ok"]:
            self.failures.append(f"{server.title}, `{load}`: {result['error']}")
            print(f"  FAILED {self.failures[-1]}", flush=True)
            return None
        if server_cpus is None and "server_waits" in result:
            self.waits.append(result["server_waits"])
        return result

    def compare(self, runs, more_rounds=0):
        """Runs in turns, so that what changes on the machine hits all alike. `runs` holds (key, server, load, CPUs, CPUs);
        returns the medians by key."""
        results = {}
        for _ in range(self.rounds + more_rounds):
            for key, *run in runs:
                result = self.run(*run)
                if result:
                    results.setdefault(key, []).append(result)
        return {key: _medians(list_) for key, list_ in results.items()}


def _medians(results):
    return {
        name: statistics.median(result[name] for result in results)
        for name, value in results[0].items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
