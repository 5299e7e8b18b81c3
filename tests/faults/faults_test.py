"""Faults on real servers under seeded load: what was acknowledged is there, once, and the index is the store.

    eval "$(dev/stack/stack env)"
    A4C_TEST_BIN=build/dev/bin python3 -B -m unittest -v tests.faults.faults_test

A4C_FAULTS (10) and A4C_FAULTS_FAILOVERS (2) say how many, A4C_FAULTS_SEED repeats the faults and the clients' choices,
A4C_FAULTS_SYNC_APART=2 has two more a4cd for the sync alone. Beside them two a4cd run jobs (tests/faults/working.py).
The histories are JSON lines (tests/cluster/history.py), which tests/faults/porcupine reads as well.
"""
import os
import secrets
import tempfile
import time
import unittest

from tests.cluster import checks, stack
from tests.cluster.cluster import Cluster, wait_until
from tests.cluster.history import History, longest_gap_s, operations_of
from tests.cluster.load import Load
from tests.faults.schedule import Schedule
from tests.faults.working import Working

# What is promised after the last fault is 35 s; the deadline bounds a hang.
EQUAL_LIMIT_S = 175


def setUpModule():
    stack.need("A4C_TEST_BIN", "A4C_TEST_POSTGRES_DSN", "A4C_TEST_KAFKA_BROKERS", "A4C_TEST_ELASTICSEARCH_URLS")


def number_of(name, fallback):
    return int(os.environ.get(name) or fallback)


class FaultCase(unittest.TestCase):
    """Three a4cd, and a history of what is asked of them."""

    durability = "replicated"

    def setUp(self):
        self.seed = os.environ.get("A4C_FAULTS_SEED") or secrets.token_hex(4)
        folder = os.environ.get("A4C_TEST_WORK") or tempfile.mkdtemp(prefix="a4c-faults-")
        self.cluster = Cluster(folder, durability=self.durability, sync_apart=number_of("A4C_FAULTS_SYNC_APART", 0))
        self.addCleanup(self.cluster.drop)
        self.addCleanup(self.cluster.abandon)
        self.cluster.start()
        self.history = History(self.cluster.folder / "history.jsonl")
        self.addCleanup(self.history.close)
        print(f"seed {self.seed}, history {self.history.path}", flush=True)

    def load(self, **options):
        return Load(self.cluster.addresses, self.cluster.key, self.history, seed=self.seed, pause_s=0.03, **options)

    def index_is_the_store(self):
        try:
            return not checks.index_differs(self.cluster.schema, f"{self.cluster.index_prefix}jobs")
        except OSError:  # the index comes back
            return False


class Faults(FaultCase):
    def setUp(self):
        super().setUp()
        self.working = Working(self.cluster.folder, self.seed, self.durability)
        self.addCleanup(self.working.abandon)

    def test_nothing_acknowledged_is_lost_or_done_twice_and_the_index_is_the_store(self):
        self.working.start()
        schedule = Schedule(self.cluster, self.seed, number_of("A4C_FAULTS", 10), number_of("A4C_FAULTS_FAILOVERS", 2),
                            self.working.cluster.instances)
        load = self.load(clients=4).start()
        try:
            schedule.run()
        finally:
            load.stop()
        healed = time.monotonic()
        self.working.load.stop()
        wait_until("the index to be the store", self.index_is_the_store, EQUAL_LIMIT_S)
        equal_s = time.monotonic() - healed
        lines = self.history.lines()
        self.report(lines, schedule, equal_s)
        self.assertEqual(checks.faults_of(lines, checks.stored_revs(self.cluster.schema)), [])
        self.cluster.stop()
        self.what_was_to_run_has_run_once(healed)

    def what_was_to_run_has_run_once(self, healed):
        self.working.end()
        wait_until("its index to be its store", lambda: not self.working.index_differs(), EQUAL_LIMIT_S)
        print(f"{self.working.report()}; all done {time.monotonic() - healed:.1f} s after the last fault", flush=True)
        self.assertEqual(self.working.faults(), [])
        self.working.cluster.stop()

    def report(self, lines, schedule, equal_s):
        operations = operations_of(lines).values()
        gaps = sorted(longest_gap_s(lines, begun - self.history.begun_ns, ended - self.history.begun_ns + 5e9)
                      for begun, ended in schedule.failovers)
        print(f"{len(operations)} operations, {sum(o.outcome == 'ok' for o in operations)} done, "
              f"{sum(o.unknowns for o in operations)} unknown outcomes resolved; index equal {equal_s:.1f} s after the "
              f"last fault; write gaps at failover, s: {', '.join(f'{gap:.2f}' for gap in gaps)}", flush=True)


if __name__ == "__main__":
    unittest.main()
