"""Negative controls: an a4cd with a mutant of the simulation in it (tests/simulation/mutants.cmake) is caught by the
checks of faults_test, on the real servers.

Those mutants are tried that these loads and faults can show; the simulation has all of them.
"""
import os
import secrets
import tempfile
import time
import unittest
from unittest import mock

from tests.cluster import checks
from tests.cluster.cluster import wait_until
from tests.cluster.instance import binary
from tests.faults import faults_test, servers
from tests.faults.schedule import Schedule
from tests.faults.working import LEASE_S, Working

setUpModule = faults_test.setUpModule

PROMISED_S = 35  # after which the index is the store
RECORDS = 600  # clients that meet on the last 40 of them, before the first fault
JOBS = 60  # to run


class Mutated(unittest.TestCase):
    """The name of a test is that of its mutant."""

    def setUp(self):
        environment = {"A4C_TEST_A4CD": str(binary("a4cd-mutated")), "A4C_MUTANT": self._testMethodName[len("test_"):]}
        patch = mock.patch.dict(os.environ, environment)
        patch.start()
        self.addCleanup(patch.stop)
        super().setUp()

    def found(self, *faults):
        """What the checks have against it after these; nothing if they are content."""
        raise NotImplementedError

    def assert_caught(self, *faults):
        found = self.found(*faults)
        print(f"caught: {found[:300]}", flush=True)
        self.assertNotEqual(found, "")


class OfCollections(Mutated, faults_test.FaultCase):
    """Three a4cd, whose records are the clients' alone."""

    def found(self, *faults):
        load = self.load(changes=0.5, clients=30).start()
        wait_until("enough load", lambda: len(load.records) >= RECORDS or load.errors, 120)
        schedule = Schedule(self.cluster, self.seed, 0, 0)
        schedule.names = faults
        schedule.run()
        try:
            load.stop()
        except AssertionError as gave_up:
            return str(gave_up)
        lost = checks.faults_of(self.history.lines(), checks.stored_revs(self.cluster.schema))
        return lost[0] if lost else self.why_the_index_stays_behind()

    def why_the_index_stays_behind(self):
        try:
            wait_until("the index to be the store", self.index_is_the_store, PROMISED_S)
            return ""
        except AssertionError:
            return checks.index_differs(self.cluster.schema, f"{self.cluster.index_prefix}jobs")

    def test_none(self):
        faults = ("a4cd-pause", "postgres-pause", "search-kill")
        self.assertEqual(self.found(*faults), "")

    def test_group_commit_sharing_fates(self):
        self.assert_caught()

    def test_confirm_without_comparing_rev(self):
        self.assert_caught()

    def test_outage_counts_as_rejection(self):
        self.assert_caught("search-kill", "search-kill")

    def test_idempotency_row_apart(self):
        self.assert_caught(*["a4cd-kill"] * 4)

    def test_record_before_outbox(self):
        self.assert_caught()

    def test_no_version_on_index_writes(self):
        self.assert_caught(*["search-pause", "a4cd-pause"] * 3)


class OfWork(Mutated):
    """Two a4cd that run jobs, and delete what has succeeded."""

    def setUp(self):
        super().setUp()
        folder = os.environ.get("A4C_TEST_WORK") or tempfile.mkdtemp(prefix="a4c-faults-")
        self.seed = os.environ.get("A4C_FAULTS_SEED") or secrets.token_hex(4)
        print(f"seed {self.seed}", flush=True)
        self.working = Working(folder, self.seed, "replicated")
        self.addCleanup(self.working.abandon)
        self.working.start()

    def found(self, *faults):
        """A fault is for how many seconds the first one is stopped."""
        load = self.working.load
        wait_until("enough jobs", lambda: len(load.requests) >= JOBS or load.errors, 180)
        for hold_s in faults:
            with servers.paused([self.working.cluster.instances[0].process.pid]):
                time.sleep(hold_s)
        try:
            load.stop()
            self.working.end()
            wait_until("its index to be its store", lambda: not self.working.index_differs(), PROMISED_S)
        except AssertionError as stuck:
            return f"{stuck}: {self.working.index_differs()}"
        return "; ".join(self.working.faults()[:3])

    def test_none(self):
        self.assertEqual(self.found(1.5 * LEASE_S), "")

    def test_hard_delete(self):
        self.assert_caught()

    def test_cancel_overwritten(self):
        self.assert_caught()


if __name__ == "__main__":
    unittest.main()
