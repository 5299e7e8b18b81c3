"""Negative controls: an a4cd with a mutant of the simulation in it (tests/simulation/mutants.cmake) is caught by the
checks of faults_test, on the real servers.

Those mutants are tried that this load and these faults can show; the simulation has all of them.
"""
import os
import unittest
from unittest import mock

from tests.cluster import checks
from tests.cluster.cluster import wait_until
from tests.cluster.instance import binary
from tests.faults import faults_test
from tests.faults.schedule import Schedule

setUpModule = faults_test.setUpModule

PROMISED_S = 35  # after which the index is the store
RECORDS = 600  # clients that meet on the last 40 of them, before the first fault


class Mutants(faults_test.FaultCase):
    """The name of a test is that of its mutant."""

    def setUp(self):
        environment = {"A4C_TEST_A4CD": str(binary("a4cd-mutated")), "A4C_MUTANT": self._testMethodName[len("test_"):]}
        patch = mock.patch.dict(os.environ, environment)
        patch.start()
        self.addCleanup(patch.stop)
        super().setUp()

    def found(self, *faults):
        """What the checks have against it; nothing if they are content."""
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

    def assert_caught(self, *faults):
        found = self.found(*faults)
        print(f"caught: {found[:300]}", flush=True)
        self.assertNotEqual(found, "")

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


if __name__ == "__main__":
    unittest.main()
