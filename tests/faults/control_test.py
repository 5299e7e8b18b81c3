"""The negative control: the checks of faults_test find what a weaker setting loses.

PostgreSQL that does not wait for a standby loses acknowledged writes when its primary dies cut off from them. If this
test does not see them lost, the other one proves nothing.
"""
import contextlib
import os
import subprocess
import time
import unittest

from tests.cluster import checks, stack
from tests.faults import faults_test, servers

setUpModule = faults_test.setUpModule


def set_synchronous(value):
    """Of the node that is primary now; None: back to what its configuration says."""
    change = "RESET synchronous_standby_names" if value is None else f"SET synchronous_standby_names = '{value}'"
    for statement in (f"ALTER SYSTEM {change}", "SELECT pg_reload_conf()"):
        subprocess.run(["psql", "-X", "-q", "-c", "SET synchronous_commit = local", "-c", statement,
                        os.environ["A4C_TEST_POSTGRES_ADMIN_DSN"]], check=True, capture_output=True, timeout=60)


@contextlib.contextmanager
def asynchronous_replication():
    set_synchronous("")
    try:
        yield
    finally:
        set_synchronous(None)


class Control(faults_test.FaultCase):
    durability = "single_server"  # or a primary without a standby would be refused

    def faults_after_a_cut_off_primary_died(self):
        load = self.load().start()
        time.sleep(2)
        servers.cut_off_and_fail_over(lambda *_: None, hold_s=2)
        # Clients cannot go on with what is gone: a 404 or 412 where there was a success is what is looked for.
        with contextlib.suppress(AssertionError):
            load.stop()
        return checks.faults_of(self.history.lines(), checks.stored_revs(self.cluster.schema))

    def test_asynchronous_replication_is_caught(self):
        with asynchronous_replication():
            faults = self.faults_after_a_cut_off_primary_died()
        lost = [fault for fault in faults if "lost" in fault or "acknowledged" in fault]
        print(f"asynchronous: {len(lost)} lost, for example {lost[:2]}", flush=True)
        self.assertNotEqual(lost, [])

    def test_synchronous_replication_loses_nothing_of_the_same(self):
        self.assertEqual(self.faults_after_a_cut_off_primary_died(), [])


if __name__ == "__main__":
    unittest.main()
