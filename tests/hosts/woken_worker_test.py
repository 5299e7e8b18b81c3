"""A worker that was stopped in the middle of an effect for three lease times, on a server without a4c-host: what it does
to the server when it wakes, and how soon that is put right.

    eval "$(dev/stack/stack env)"
    A4C_TEST_BIN=build/dev/bin python3 -B -m unittest -v tests.hosts.woken_worker_test

With a4c-host it does nothing: plugins/host-baremetal/tests/helper_server_test.cc.
"""
import json
import os
import pathlib
import time
import unittest

from tests.cluster import stack
from tests.cluster.cluster import wait_until
from tests.hosts import engines
from tests.hosts.case import Case
from tests.hosts.held_engine import HeldEngine

LEASE_S = 30  # work.lease
REPAIR_MAX_S = 60
CREATE, START = r"POST /v[\d.]+/containers/create", r"POST /v[\d.]+/containers/\w+/start"
WORKSPACE = ("--host", "server-1", "--image", "busybox:local", "--disk", "20MiB", "--memory", "32MiB")


def setUpModule():
    stack.need("A4C_TEST_BIN", "A4C_TEST_POSTGRES_DSN", "A4C_TEST_BAREMETAL_HOSTS", "A4C_TEST_BAREMETAL_SOCKETS")


class WokenWorker(Case):
    def setUp(self):
        self.make_cluster(2, work={"workers": 4})
        self.engine = self.engines[0]
        self.held = HeldEngine(engines.sockets()[0])
        self.addCleanup(self.held.close)
        self.first, self.second = self.cluster.instances
        self.lead_by_the_held_engine(self.first)
        self.first.start()
        self.first.wait_ready()
        self.wait_for_servers()

    def lead_by_the_held_engine(self, instance):
        listed = json.loads(pathlib.Path(os.environ["A4C_TEST_BAREMETAL_HOSTS"]).read_text())
        listed["servers"][0]["docker_socket"] = self.held.path_there
        file = self.cluster.folder / "servers.json"
        file.write_text(json.dumps(listed))
        provider = {"servers_file": str(file), "cluster": self.cluster.run}
        instance.set_config(hosts={"plugin": "host-baremetal", "config": provider})

    def test_what_a_woken_worker_does_is_put_right_and_who_lives_runs_on(self):
        for name in ("living", "restarted"):
            self.create(name, "--wait")
        living, restarted = self.unit("living"), self.unit("restarted")
        before = self.engine.containers()[living]
        self.command_line(0).run("workspace", "stop", "restarted", "--wait")
        self.hold(CREATE, self.create, "made")
        self.hold(START, self.create, "started")
        self.hold(START, self.command_line(0).run, "workspace", "start", "restarted")
        gone = {self.unit("made"), self.unit("started")}

        self.first.pause()
        paused = time.monotonic()
        self.second.start()
        self.second.wait_ready()
        self.go_on_without_it()
        self.assertEqual(self.left(), {living, restarted})
        wait_until("three lease times", lambda: time.monotonic() > paused + 3 * LEASE_S, 4 * LEASE_S)

        woken = time.time()
        self.first.resume()
        self.held.release()
        wait_until("all of its jobs to be stopped", lambda: self.jobs_stopped() == self.held.held, REPAIR_MAX_S)
        wait_until("no orphan to be left", lambda: self.left() == {living, restarted}, REPAIR_MAX_S)
        removed_s = time.time() - woken
        wait_until("the record to say that it runs", lambda: self.actual("restarted") == "running", REPAIR_MAX_S)
        wait_until("it to be stopped again", lambda: self.actual("restarted") == "stopped", 2 * REPAIR_MAX_S)

        self.report(self.engine.events_since(woken), removed_s)
        orphans = [event for event in self.engine.events_since(woken) if event[1] == "create" and event[2] in gone]
        self.assertTrue(orphans, "nothing came of what it had sent: this proves nothing")
        after = self.engine.containers()
        self.assertEqual((after[living]["Id"], after[living]["State"]), (before["Id"], before["State"]))
        self.assertFalse(after[restarted]["State"]["Running"])
        self.assertEqual({one["name"] for one in self.a4c(1, "workspace", "list", "--fresh")}, {"living", "restarted"})
        self.cluster.stop()

    def create(self, name, *more):
        self.command_line(0).run("workspace", "create", name, *WORKSPACE, *more, "--", "sleep", "36000")

    def unit(self, name):
        return "ws-" + self.a4c(0, "workspace", "get", name)["id"]

    def actual(self, name):
        return self.a4c(1, "workspace", "get", name)["actual"]

    def hold(self, request, act, *words):
        """A worker does this until the request has left it."""
        count = self.held.held
        self.held.hold(request)
        act(*words)
        wait_until(f"the request of {words[-1]}", lambda: self.held.held > count, 60)

    def go_on_without_it(self):
        """The other one takes its jobs over; then users want something else."""
        for name, step in (("made", "delete"), ("started", "delete"), ("restarted", "stop")):
            wait_until("another worker", lambda n=name: self.actual(n) == "running", 3 * LEASE_S)
            self.command_line(1).run("workspace", step, name, "--wait")

    def left(self):
        """Units that the server has anything of."""
        volumes = {part for volume in self.engine.volumes() for part in volume.split(".") if part.startswith("ws-")}
        return volumes | set(self.engine.units())

    def jobs_stopped(self):
        return self.first.log_path.read_text().count("its lease could not be renewed")

    def report(self, events, removed_s):
        names = {"ws-" + one["id"]: one["name"] for one in self.a4c(1, "workspace", "list", "--fresh")}
        said = [f"{action} of {names.get(name, 'a deleted one')} after {at:.1f} s" for at, action, name in events]
        print(f"woken after three lease times: {', '.join(said)}; no orphan after {removed_s:.1f} s", flush=True)


if __name__ == "__main__":
    unittest.main()
