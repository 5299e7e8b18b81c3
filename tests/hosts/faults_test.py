"""Faults of a4cd and of its Docker servers under a load of jobs that run: within a minute of the last one nothing is left
that should be gone, nothing is gone that should be there, and every workspace is as it was to be, or says why it is not.

    eval "$(dev/stack/stack env)"
    A4C_TEST_BIN=build/dev/bin python3 -B -m unittest -v tests.hosts.faults_test

A4C_HOST_FAULTS (6) says how many, A4C_FAULTS_SEED repeats the faults and the clients' choices (not the timing).
The servers have a4c-host, and are enrolled. What was asked for stands in the run's history.jsonl.
"""
import os
import secrets
import time
import unittest

from tests.cluster import stack
from tests.cluster.cluster import wait_until
from tests.cluster.history import History, operations_of
from tests.hosts.case import Case
from tests.hosts.load import DISK, MEMORY, WorkspaceLoad
from tests.hosts.schedule import Schedule

PROMISED_S = 60  # after the last fault
WATERMARK = 0.9  # placement.disk_watermark
ACT_LIMIT_S = 120


def setUpModule():
    stack.need("A4C_TEST_BIN", "A4C_TEST_POSTGRES_DSN", "A4C_TEST_ENROL_FILE", "A4C_TEST_BAREMETAL_SOCKETS")


class Faults(Case):
    def setUp(self):
        self.seed = os.environ.get("A4C_FAULTS_SEED") or secrets.token_hex(4)
        # A workspace whose dockerd dies often is not kept waiting for longer and longer: that is what is measured here.
        self.make_cluster(2, servers=None, work={"workers": 4}, cleanup={"cache_age": "1s"})
        self.set_hosts(restart_wait_max="10s")
        for engine in self.engines:
            self.addCleanup(engine.fault, "host-key-restore")
        self.cluster.start()
        self.history = History(self.cluster.folder / "history.jsonl")
        self.addCleanup(self.history.close)
        self.enrol_servers()
        self.last = []  # that was amiss
        self.lived = {}  # workspace -> the server and the file system that it had when it ran
        print(f"seed {self.seed}, history {self.history.path}", flush=True)

    def test_nothing_is_left_over_and_nothing_that_lives_is_gone_and_all_are_as_they_were_to_be(self):
        schedule = Schedule(self, self.seed, int(os.environ.get("A4C_HOST_FAULTS") or 6), self.look)
        load = WorkspaceLoad(self.cluster.addresses, self.cluster.key, self.history, seed=self.seed, clients=4).start()
        try:
            schedule.run()
            self.look()
        finally:
            load.stop()
        healed = time.monotonic()
        self.wait_until_none("all to be as it was to be", lambda: self.amiss(load.records), PROMISED_S)
        self.report(schedule, load, time.monotonic() - healed)
        self.assert_each_is_where_it_was()
        self.assert_nothing_is_promised_twice()
        self.act_on_those_that_failed()
        self.assert_no_half_images()
        self.cluster.stop()

    def look(self):
        """Who runs, on which file system; no server has given out more than it has."""
        identities = {engine.host: engine.identities() for engine in self.engines}
        for one in self.workspaces():
            if one["actual"] == "running" and (was := identities[one["host"]].get(f"ws-{one['id']}")):
                self.lived.setdefault(one["id"], (one["host"], was))
        self.assert_no_server_is_over()

    def workspaces(self):
        return self.a4c(0, "workspace", "list", "--fresh")

    def snapshots(self):
        return self.a4c(0, "snapshot", "list", "--fresh")

    def assert_no_server_is_over(self):
        for host in self.a4c(0, "host", "list"):
            self.assertLessEqual(host["disk_committed_bytes"], WATERMARK * host["disk_total_bytes"], host["id"])
            self.assertLessEqual(host["memory_committed_bytes"], host["memory_total_bytes"], host["id"])
            self.assertLessEqual(host["cpu_committed_millis"], host["cpu_total_millis"], host["id"])

    @staticmethod
    def wait_until_none(what, amiss, limit_s):
        """Says what is still amiss at the end."""
        try:
            wait_until(what, lambda: not amiss(), limit_s)
        except AssertionError as late:
            raise AssertionError(f"{late}: {'; '.join(amiss()) or 'it is by now'}") from None

    def amiss(self, records):
        """What is not yet as it was to be."""
        amiss = self.jobs_at_work() or self.wrong_records(records) + self.wrong_servers()
        self.last = amiss[:3] or self.last
        return amiss

    def jobs_at_work(self):
        jobs = [job for state in ("pending", "running")
                for job in self.a4c(0, "job", "list", "--state", state, "--fresh", "--all")]
        return [f"job {job['id']} {job['type']} is {job['state']}: {job.get('message')}" for job in jobs]

    def wrong_records(self, records):
        """Each client was told what it wanted last: that stands, and it is so, or it has failed and says why."""
        wanted = {one.id: one.desired for one in records}
        found = {one["id"]: one for one in self.workspaces()}
        wrong = [f"nobody has created {one['name']}" for one in found.values() if one["id"] not in wanted]
        for one in records:
            is_there = found.get(one.id)
            if is_there is None:
                wrong += [f"{one.name} is gone, and was to be {one.desired}"] if one.desired != "deleted" else []
            elif is_there["desired"] != one.desired:
                wrong.append(f"{one.name} is to be {is_there['desired']}, and was to be {one.desired}")
            elif is_there["actual"] != one.desired and not has_failed(is_there):
                wrong.append(f"{one.name} is {is_there['actual']}, and is to be {one.desired}: {is_there.get('message')}")
        return wrong + [f"snapshot {one['id']} is {one['state']}" for one in self.snapshots() if one["state"] != "ready"]

    def wrong_servers(self):
        workspaces, snapshots = self.workspaces(), self.snapshots()
        wrong = [f"{host['id']} is {host['state']}" for host in self.a4c(0, "host", "list") if not host["reachable"]]
        for engine in self.engines:
            here = [one for one in workspaces if one.get("host") == engine.host]
            kept = {f"snap-{one['id']}" for one in snapshots if one.get("host") == engine.host}
            wrong += self.wrong_states(engine, here) + self.left_over(engine, kept | {f"ws-{one['id']}" for one in here})
        return wrong

    @staticmethod
    def wrong_states(engine, workspaces):
        """Records that do not say what is so."""
        states = engine.states()
        found = [(one, states.get(f"ws-{one['id']}", "missing")) for one in workspaces if not has_failed(one)]
        return [f"{one['name']} is recorded as {one['actual']}, and is {state} on {engine.host}" for one, state in found
                if (state == "running") != (one["actual"] == "running") or state == "missing"]

    @staticmethod
    def left_over(engine, living):
        """What no living record names."""
        things = {"container": engine.units(), "file system": engine.file_systems(), "mount": engine.mounts(),
                  "volume": engine.volumes()}
        return [f"{engine.host} has the {what} {name}, which no record names" for what, names in things.items()
                for name in names if name not in living]

    def report(self, schedule, load, settled_s):
        operations = operations_of(self.history.lines()).values()
        workspaces = self.workspaces()
        failed = [f"{one['name']}: {one['message']}" for one in workspaces if has_failed(one)]
        print(f"{len(schedule.names)} faults of a4cd and servers, seed {self.seed}: {len(operations)} operations, "
              f"{sum(o.outcome == 'ok' for o in operations)} done, {sum(o.unknowns for o in operations)} unknown outcomes "
              f"resolved; of {len(load.records)} workspaces {len(workspaces)} live, {len(self.snapshots())} snapshots; all "
              f"was as it was to be {settled_s:.1f} s after the last fault, {len(failed)} failed with a reason. "
              f"Until then: {'; '.join(self.last)}", flush=True)
        for text in failed:
            print(f"    {text}", flush=True)

    def assert_each_is_where_it_was(self):
        """Who has run once has its files, and a container where its record says; failed or not."""
        identities = {engine.host: engine.identities() for engine in self.engines}
        units = {engine.host: engine.units() for engine in self.engines}
        for one in self.workspaces():
            unit = f"ws-{one['id']}"
            if one["id"] in self.lived and one["desired"] != "deleted":
                self.assertEqual((one["host"], identities[one["host"]].get(unit)), self.lived[one["id"]], one)
                self.assertIn(unit, units[one["host"]], one)

    def assert_nothing_is_promised_twice(self):
        """What is reserved is what is there."""
        self.assert_no_server_is_over()
        hosts = {host["id"]: host for host in self.a4c(0, "host", "list")}
        workspaces, snapshots = self.workspaces(), self.snapshots()
        for engine in self.engines:
            count = sum(one.get("host") == engine.host for one in workspaces)
            disk = DISK * (count + sum(one["host"] == engine.host for one in snapshots))
            host = hosts[engine.host]
            self.assertEqual((host["disk_committed_bytes"], host["memory_committed_bytes"]), (disk, MEMORY * count), host["id"])
            self.assertLessEqual(sum(engine.file_systems().values()), disk)

    def act_on_those_that_failed(self):
        """What a person would do about one that says why it failed."""
        steps = {"running": "start", "stopped": "stop", "deleted": "delete"}
        for one in filter(has_failed, self.workspaces()):
            self.command_line(0).run("workspace", steps[one["desired"]], one["name"], "--wait", timeout_s=ACT_LIMIT_S)
        self.assertEqual([one for one in self.workspaces() if one["actual"] != one["desired"]], [])

    def assert_no_half_images(self):
        for engine in self.engines:
            self.command_line(0).run("host", "cleanup", engine.host, "--wait", timeout_s=ACT_LIMIT_S)
            self.assertEqual(engine.half_images(), [], engine.host)


def has_failed(workspace):
    return workspace["actual"] == "failed" and bool(workspace["message"])


if __name__ == "__main__":
    unittest.main()
