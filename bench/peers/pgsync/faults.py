"""What is lost, stale or brought back in the index when the sync is killed: PGSync and ours under one schedule.

    python faults.py SYNC_SUBJECT URL SEED CHANGES KILLS     a row of JSON for each

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

from pgsync_run import TABLE, PgSync, make_table
from servers import Postgres, Redis

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


class Theirs:
    name = "PGSync 7.3.0"

    def __init__(self, url):
        import psycopg2
        self.postgres, self.redis = Postgres(), Redis()
        make_table(self.postgres)
        self.pgsync = PgSync(self.postgres, self.redis, url)
        self.pgsync.run("bootstrap")
        self.connection = psycopg2.connect(self.postgres.uri)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()

    def start(self):
        self.process = self.pgsync.start("-d")

    def apply(self, what, name, version):
        if what == "delete":
            self.cursor.execute(f"DELETE FROM {TABLE} WHERE id = %s", (name,))
            return
        body = body_of(name, version)
        if what == "update":
            self.cursor.execute(f"UPDATE {TABLE} SET attempts = %s WHERE id = %s", (version, name))
        else:
            self.cursor.execute(
                f"INSERT INTO {TABLE} (id, {', '.join(body)}) VALUES ({', '.join(['%s'] * (len(body) + 1))})",
                (name, *(json.dumps(value) if isinstance(value, dict) else value for value in body.values())))

    def found(self):
        """id -> version, as searches see it."""
        self.pgsync.ask("POST", f"{self.pgsync.index}/_refresh")
        versions, after = {}, None
        while True:
            query = {"size": 5000, "sort": [{"_id": "asc"}], "_source": ["id", "attempts"]}
            hits = self.pgsync.ask("POST", f"{self.pgsync.index}/_search",
                                   query | ({"search_after": after} if after else {}))["hits"]["hits"]
            if not hits:
                return versions
            versions.update((hit["_source"]["id"], hit["_source"]["attempts"]) for hit in hits)
            after = hits[-1]["sort"]

    def stop(self):
        self.pgsync.drop()
        self.redis.stop()
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
        return {"side": side.name, "changes": len(steps), "documents": len(expected),
                "lost": sum(name not in found for name in expected),
                "stale": sum(found.get(name, version) < version for name, version in expected.items()),
                "resurrected": sum(name not in expected for name in found),
                "settled": is_settled, "looked_s": round(time.monotonic() - ended, 1)}
    finally:
        kill(side.process)


def main(program, url, seed, changes, kills):
    steps, moments, expected = schedule_of(seed, int(changes), int(kills))
    for make in (lambda: Theirs(url), lambda: Ours(os.path.abspath(program), seed)):
        side = make()
        try:
            print(json.dumps(run(side, steps, moments, expected) | {"seed": seed, "kills": int(kills)}), flush=True)
        finally:
            side.stop()


main(*sys.argv[1:])
