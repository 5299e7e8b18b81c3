"""A database that was restored from a backup faces servers that know more than it does: nothing goes for want of a record,
nothing that it does know is touched, and nothing happens on the servers before an operator has spoken.

    eval "$(dev/stack/stack env)"
    A4C_TEST_BIN=build/dev/bin python3 -B -m unittest -v tests.hosts.restored_test

What it goes through is docs/guides/operations.md, "Back up and restore". The servers have a4c-host, and are enrolled.
"""
import contextlib
import os
import subprocess
import unittest

from tests.cluster import stack
from tests.cluster.client import Client
from tests.cluster.cluster import ADMIN, wait_until
from tests.hosts.case import Case

SERVER = "server-1"
HERE = ("--host", SERVER, "--image", "busybox:local", "--disk", "20MiB", "--memory", "16MiB")
ROUNDS = 3  # of the reconciler
LIMIT_S = 120


def setUpModule():
    stack.need("A4C_TEST_BIN", "A4C_TEST_POSTGRES_DSN", "A4C_TEST_ENROL_FILE", "A4C_TEST_BAREMETAL_SOCKETS")


class Restored(Case):
    def setUp(self):
        self.make_cluster(1, servers=None, work={"workers": 4})
        self.set_hosts(reconcile_period="2s")
        self.instance, self.engine = self.cluster.instances[0], self.engines[0]
        self.cluster.start()
        self.enrol_servers()
        self.backup = self.cluster.folder / "backup.sql"

    def test_it_takes_nothing_away_that_it_does_not_know_and_keeps_what_it_does(self):
        self.make("kept", "stopped", "deleted")
        self.a4c_says("workspace", "exec", "kept", "--", "sh", "-c", "echo before >/workspace/note")
        self.back_up()
        self.live_on()
        self.kept, self.adopted, self.purged = (self.unit(name) for name in ("kept", "adopted", "purged"))
        self.snapshot = "snap-" + self.a4c(0, "snapshot", "list")[0]["id"]
        self.before = self.engine.containers()
        self.restore()
        self.assert_servers_refuse_it()
        for engine in self.engines:
            self.a4c_says("host", "enrol", engine.host)
        self.assert_nothing_goes_by_itself()
        self.assert_what_is_young_is_not_purged()
        self.assert_goes_what_a_person_says_and_no_more()
        self.assert_all_obey()
        self.cluster.stop()

    def a4c_says(self, *words, **options):
        return self.command_line(0).run(*words, **options)

    def make(self, *names):
        for name in names:
            self.a4c_says("workspace", "create", name, *HERE, "--wait", "--", "sleep", "36000")

    def unit(self, name):
        return "ws-" + self.a4c(0, "workspace", "get", name)["id"]

    def back_up(self):
        self.tool("pg_dump", "-n", self.cluster.schema, "-n", self.cluster.search_schema, "-f", self.backup)
        self.revs_at_backup = self.token_revs()

    def restore(self):
        """Without notice, as it comes when one is needed."""
        self.instance.kill()
        self.set_hosts(token_period="10m")
        for schema in (self.cluster.schema, self.cluster.search_schema):
            stack.sql(f"DROP SCHEMA {schema} CASCADE")
        self.tool("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-f", self.backup)
        self.assertTrue(all(rev <= self.revs_at_backup[host] for host, rev in self.token_revs().items()))
        self.start()

    @staticmethod
    def tool(program, *words):
        subprocess.run([program, *words, "-d", os.environ[ADMIN]], check=True, capture_output=True, timeout=LIMIT_S)

    def start(self):
        self.instance.start()
        self.instance.wait_ready()
        self.wait_for_servers()

    def live_on(self):
        """What the backup does not know of."""
        for step in ("stop", "start"):
            self.a4c_says("workspace", step, "kept", "--wait")  # the server has seen a higher epoch
        self.a4c_says("workspace", "exec", "kept", "--", "sh", "-c", "echo after >>/workspace/note")
        self.a4c_says("workspace", "snapshot", "kept", "--wait")
        self.a4c_says("workspace", "stop", "stopped", "--wait")
        self.a4c_says("workspace", "delete", "deleted", "--wait")
        self.make("adopted", "purged")
        self.instance.stop()
        self.set_hosts(token_period="1s")  # after those of a day
        self.start()
        # Two rotations: the one before last is none that a server takes for its store's.
        wait_until("other tokens", lambda: all(now >= self.revs_at_backup[host] + 2
                                               for host, now in self.token_revs().items()), LIMIT_S)

    def token_revs(self):
        return {host: int(rev) for host, rev in stack.sql(f"SELECT id, rev FROM {self.cluster.schema}.host_token")}

    def assert_servers_refuse_it(self):
        """What it wants of them is not done, and it says why, and what to do."""
        said = self.a4c_says("workspace", "start", "stopped", "--wait", exit_code=1)
        self.assertIn("refuses this store", said)
        self.assertIn(f"a4c host enrol {SERVER}", said)
        wait_until("the alarm", lambda: self.metric("a4c_host_denied", f'host="{SERVER}"') == 1, LIMIT_S)
        self.wait_for_rounds()
        self.assert_untouched()

    def assert_nothing_goes_by_itself(self):
        """Neither by the reconciler nor by a cleanup; and it says what is so, and not what it was."""
        self.wait_for_rounds()
        self.a4c_says("host", "cleanup", SERVER, "--wait")
        self.assert_untouched()
        self.assertEqual(self.metric("a4c_host_units_unclaimed", 'loop="reconciler"'), 3)
        self.assertEqual({one["name"]: one["actual"] for one in self.a4c(0, "workspace", "list", "--fresh")},
                         {"kept": "running", "stopped": "stopped", "deleted": "failed"})
        self.assertIn("its unit is gone", self.a4c(0, "workspace", "get", "deleted")["message"])

    def assert_what_is_young_is_not_purged(self):
        """Another copy of the store may be at work there."""
        unclaimed = self.a4c(0, "host", "purge", SERVER)
        self.assertEqual({one["unit"] for one in unclaimed}, {self.adopted, self.purged, self.snapshot})
        self.assertTrue(all("too short a while ago" in one.get("stays", "") for one in unclaimed), unclaimed)
        self.a4c_says("host", "purge", SERVER, "--all", "--yes")
        self.a4c_says("host", "purge", SERVER, "--unit", self.purged, "--yes", exit_code=1)
        self.assert_untouched()

    def assert_goes_what_a_person_says_and_no_more(self):
        self.instance.stop()
        self.instance.set_config(cleanup={"purge_age": "1ms"})  # that copy is gone for good
        self.start()
        self.a4c_says("host", "adopt", SERVER, f"{self.adopted}=adopted", "--wait")
        for unit in (self.kept, self.adopted):
            self.assertIn("a record names it", self.a4c_says("host", "purge", SERVER, "--unit", unit, "--yes", exit_code=1))
        self.a4c_says("host", "purge", SERVER, "--all", "--yes")
        self.assert_untouched(self.purged, self.snapshot)
        self.assertEqual(self.a4c(0, "host", "purge", SERVER), [])

    def assert_all_obey(self):
        """The server has seen higher epochs than the backup has."""
        for name in ("kept", "stopped", "adopted"):
            for step in ("stop", "start"):
                self.a4c_says("workspace", step, name, "--wait")
        self.assertEqual(self.a4c_says("workspace", "exec", "kept", "--", "cat", "/workspace/note"), "before\nafter\n")
        for name in ("kept", "stopped", "adopted", "deleted"):
            self.a4c_says("workspace", "delete", name, "--wait")
        left = [engine.units() or engine.volumes() or engine.file_systems() for engine in self.engines]
        promised = [host["disk_committed_bytes"] for host in self.a4c(0, "host", "list")]
        self.assertFalse(any(left) or any(promised), (left, promised))

    def assert_untouched(self, *gone):
        """The units that were there before are, without these, and nothing was done to them since."""
        now = self.engine.containers()
        self.assertEqual({name: (one["Id"], one["State"]) for name, one in now.items()},
                         {name: (one["Id"], one["State"]) for name, one in self.before.items() if name not in gone})

    def wait_for_rounds(self):
        """The reconciler alone asks for lists."""
        begun = self.lists()
        wait_until("its rounds", lambda: self.lists() >= begun + (ROUNDS + 1) * len(self.engines), LIMIT_S)

    def lists(self):
        return self.metric("a4c_plugin_call_seconds_count", 'call="List"')

    def metric(self, name, label):
        """The sum of the series that have it."""
        with contextlib.closing(Client(self.cluster.addresses[0])) as client:
            lines = client.ask("GET", "/metrics").body.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name + "{") and label in line)


if __name__ == "__main__":
    unittest.main()
