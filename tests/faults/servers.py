"""Faults of the real servers: each is a context in which something is broken, and healed at its end."""
import contextlib
import os
import pathlib
import signal
import subprocess
import time

from tests.cluster import checks, stack


def primary():
    """The node of PostgreSQL that takes writes."""
    for line in postgres_nodes():
        if " primary," in line:
            return line.split()[0]
    raise RuntimeError("no node of PostgreSQL is primary")


def postgres_nodes():
    # Its exit status says how many are up, which is no failure here.
    done = subprocess.run([stack.ROOT / "dev/stack/postgres/status"], text=True, capture_output=True, check=False,
                          timeout=60, env={**os.environ, "PART": "postgres"})
    return done.stdout.splitlines()


def postmaster(node):
    return next(int(line.split()[3]) for line in postgres_nodes() if line.split()[0] == node)


def children(pid, title=""):
    """Its child processes, or those whose title holds a word."""
    done = subprocess.run(["pgrep", "-P", str(pid), *(["-f", title] if title else [])], text=True, capture_output=True,
                          check=False)
    return [int(word) for word in done.stdout.split()]


@contextlib.contextmanager
def paused(pids):
    send(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        send(pids, signal.SIGCONT)


def send(pids, number):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def fail_over(note):
    """Kills the primary, promotes the standby that has most, brings the old one back. `note` is told begin and end."""
    old = primary()
    begun_ns = time.monotonic_ns()
    stack.run("postgres/crash", old)
    new = stack.run("postgres/promote")
    note(begun_ns, time.monotonic_ns(), old, new)
    stack.run("postgres/rejoin", old)


def cut_off_and_fail_over(note, hold_s):
    """The primary goes on without sending anything to its standbys, and then dies."""
    with paused(children(postmaster(primary()), "walsender")):
        time.sleep(hold_s)
        fail_over(note)


def pause_primary(hold_s):
    pid = postmaster(primary())
    with paused([pid, *children(pid)]):
        time.sleep(hold_s)


def kill_standby(hold_s):
    standbys = [line.split()[0] for line in postgres_nodes() if " replica," in line]
    stack.run("postgres/crash", standbys[0])
    time.sleep(hold_s)
    stack.run("postgres/start")


class Node:
    """A node of Kafka or of the search engine."""

    def __init__(self, part, number=1):
        self.part, self.number = part, number
        self.folder = part.split("-", maxsplit=1)[0].replace("elasticsearch", "search")

    @property
    def pid(self):
        return int((pathlib.Path(stack.state_folder()) / self.part / f"node{self.number}" / "pid").read_text().split()[0])

    def kill(self, hold_s, meanwhile=lambda: None):
        os.kill(self.pid, signal.SIGKILL)
        try:
            meanwhile()
            time.sleep(hold_s)
        finally:
            self.start()

    def start(self):
        stack.run(f"{self.folder}/start", str(self.number), A4C_STACK_SEARCH=self.part, PART=self.part)

    def pause(self, hold_s):
        with paused([self.pid]):
            time.sleep(hold_s)


def search_node(dice):
    """One of them."""
    count = len(os.environ["A4C_TEST_ELASTICSEARCH_URLS"].split(","))
    return Node("elasticsearch", dice.randint(1, count)) if count > 1 else Node("elasticsearch-1")


def block_index(index, block, value):
    checks.ask("PUT", f"/{index}/_settings", {f"index.blocks.{block}": value or None})


def broker():
    return Node("kafka")
