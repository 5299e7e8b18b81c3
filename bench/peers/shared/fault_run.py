"""One schedule of changes and kills for a peer's sync and for ours, and the check of what their indexes hold in the end.

A seed draws the changes (of each ten: three new rows, five updates, two deletes) and after which of them the sync dies
by kill -9; it is started again a second later. Writes go on all the while, 100 a second. Once they have ended and the
index has not moved for some seconds, it is held against what was acknowledged; `settled` is false where it still moved
after PATIENCE_S.
"""
import json
import os
import random
import signal
import subprocess
import sys
import time

from documents import Rows, make_table
from servers import Postgres

CHANGES_PER_S = 100
SETTLE_S = 120
PATIENCE_S = 600


def schedule_of(seed, changes, kills):
    """(what, id, version) for each change, and the numbers of those after which the sync is killed."""
    dice, living, steps = random.Random(seed), {}, []
    for number in range(changes):
        draw = dice.random()
        if draw < 0.3 or not living:
            steps.append(("new", f"id-{number:08}", 1))
            living[steps[-1][1]] = 1
            continue
        name = dice.choice(list(living))
        if draw < 0.8:
            living[name] += 1
            steps.append(("update", name, living[name]))
        else:
            steps.append(("delete", name, living.pop(name)))
    return steps, set(dice.sample(range(changes // 10, changes), kills)), living


def body_of(name, version):
    return {"state": "running", "title": f"document {name}", "error": "none", "attempts": version,
            "created_at": 1793491200000, "labels": {"team": "infra"}, "spec": "s" * 100}


class Peer:
    """What syncs a table of a PostgreSQL of its own. Says `name` and how its process starts, and makes `index`."""

    def __init__(self):
        self.postgres = Postgres()
        make_table(self.postgres)
        self.rows = Rows(self.postgres)

    def apply(self, what, name, version):
        if what == "new":
            self.rows.insert(name, body_of(name, version))
        elif what == "update":
            self.rows.update(name, version)
        else:
            self.rows.delete(name)

    def found(self):
        return self.index.versions()

    def stop(self):
        self.index.drop()
        self.postgres.stop()


class Ours:
    name = "a4c"

    def __init__(self, program, seed):
        self.command = [program, f"bench_faults_{seed}_{os.getpid()}"]
        self.writer = subprocess.Popen([*self.command, "write"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self):
        self.process = subprocess.Popen([*self.command, "sync"])

    def apply(self, what, name, version):
        line = f"delete\t{name}" if what == "delete" else f"put\t{name}\t{json.dumps(body_of(name, version))}"
        self.writer.stdin.write(line + "\n")
        self.writer.stdin.flush()
        if self.writer.stdout.readline() != "ok\n":
            raise RuntimeError("a change was not acknowledged")

    def found(self):
        dump = subprocess.run([*self.command, "dump"], check=True, capture_output=True, text=True).stdout
        lines = (line.split("\t") for line in dump.splitlines())
        return {name: json.loads(body)["attempts"] for name, body in lines}

    def stop(self):
        self.writer.stdin.close()
        self.writer.wait()


def kill(process):
    if process.poll() is not None:
        raise RuntimeError("the sync has ended by itself")
    process.send_signal(signal.SIGKILL)
    process.wait()


def settled(side, expected):
    """What the index holds once it equals what is expected, or has not moved for SETTLE_S; and whether that came."""
    deadline = time.monotonic() + PATIENCE_S
    last, since = None, time.monotonic()
    while time.monotonic() < deadline:
        found = side.found()
        if found == expected:
            return found, True
        if found != last:
            last, since = found, time.monotonic()
        elif time.monotonic() - since > SETTLE_S:
            return found, True
        time.sleep(1)
    return found, False


def run(side, steps, kills, expected):
    side.start()
    try:
        again, began = None, time.monotonic()
        for number, step in enumerate(steps):
            time.sleep(max(0.0, began + number / CHANGES_PER_S - time.monotonic()))
            if again is not None and time.monotonic() > again:
                side.start()
                again = None
            side.apply(*step)
            if number in kills and again is None:
                kill(side.process)
                again = time.monotonic() + 1
        if again is not None:
            side.start()
        ended = time.monotonic()
        found, is_settled = settled(side, expected)
        kill(side.process)
        return {"side": side.name, "changes": len(steps), "documents": len(expected),
                "lost": sum(name not in found for name in expected),
                "stale": sum(found.get(name, version) < version for name, version in expected.items()),
                "resurrected": sum(name not in expected for name in found),
                "settled": is_settled, "looked_s": round(time.monotonic() - ended, 1)}
    finally:
        side.process.kill()


def main(make_peer):
    """make_peer(url) is a Peer; the arguments are SYNC_SUBJECT URL SEED CHANGES KILLS."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped then too
    program, url, seed, changes, kills = sys.argv[1:]
    steps, moments, expected = schedule_of(seed, int(changes), int(kills))
    for make in (lambda: make_peer(url), lambda: Ours(os.path.abspath(program), seed)):
        side = make()
        try:
            print(json.dumps(run(side, steps, moments, expected) | {"seed": seed, "kills": int(kills)}), flush=True)
        finally:
            side.stop()
