"""More workspaces than there is room for, asked for at once through two a4cd: who runs, who waits, and what is left.

    eval "$(dev/stack/stack env)"
    A4C_TEST_WORKSPACES=256 A4C_TEST_BIN=build/dev/bin python3 -B -m unittest -v tests.hosts.burst_test

The servers have a4c-host, so that a disk that is promised is a file system of that size.
"""
import collections
import concurrent.futures
import contextlib
import math
import os
import time
import unittest

from tests.cluster import stack
from tests.cluster.client import Client
from tests.cluster.cluster import wait_until
from tests.hosts.case import Case

MIB = 1 << 20
DISK_MIN = 16 * MIB  # of a file system of a4c-host
MEMORY = 16 * MIB
WATERMARK = 0.9  # placement.disk_watermark
ASKED = 1.05  # of what there is room for
LIMIT_S = 1800


def setUpModule():
    stack.need("A4C_TEST_BIN", "A4C_TEST_POSTGRES_DSN", "A4C_TEST_BAREMETAL_HELPER_HOSTS", "A4C_TEST_BAREMETAL_SOCKETS")


class Burst(Case):
    def setUp(self):
        self.count = int(os.environ.get("A4C_TEST_WORKSPACES") or 256)
        # They sleep: with a hundredth of a processor each, two processors have room for 200.
        self.make_cluster(2, servers="A4C_TEST_BAREMETAL_HELPER_HOSTS", work={"workers": 4},
                          placement={"default_cpu_millis": 10})
        self.cluster.start()
        servers = self.wait_for_servers().values()
        room = sum(WATERMARK * server["disk_total_bytes"] - server["disk_used_bytes"] for server in servers)
        self.disk = max(DISK_MIN, math.ceil(ASKED * room / self.count / MIB) * MIB)

    def test_what_fits_runs_once_and_the_rest_waits_for_a_true_reason_and_nothing_is_left_of_them(self):
        begun = time.monotonic()
        creations = [self.creation(f"burst-{number}") for number in range(self.count)]
        # Each is asked for all of them, in opposite orders: one of the two may have each name.
        self.assertEqual(self.ask_both(creations, creations[::-1]), {201: self.count, 409: self.count})
        running, waiting = wait_until("all to run or to be refused", self.settled, LIMIT_S)
        print(f"{self.count} of {self.disk // MIB} MiB asked for at once through 2 a4cd: {len(running)} run and "
              f"{len(waiting)} wait for room after {time.monotonic() - begun:.0f} s", flush=True)
        self.assertTrue(waiting, "there was room for more than there is")
        self.assert_each_once(running)
        self.assert_nothing_is_promised_twice(running)
        begun = time.monotonic()
        deletions = [{"type": "workspace.delete", "payload": {"workspace": one["id"]}} for one in running + waiting]
        self.assertEqual(self.ask_both(deletions[::2], deletions[1::2]), {201: self.count})
        wait_until("all to be gone", self.is_empty, LIMIT_S)
        print(f"all were gone {time.monotonic() - begun:.0f} s after they were to go", flush=True)
        self.cluster.stop()

    def creation(self, name):
        return {"type": "workspace.create", "payload": {"name": name, "image": "busybox:local", "disk": self.disk,
                                                        "memory": MEMORY, "command": ["sleep", "36000"]}}

    def ask_both(self, *jobs):
        """Each instance for its list, at the same time; how often each status was answered."""
        with concurrent.futures.ThreadPoolExecutor(2) as both:
            answers = list(both.map(self.ask, self.cluster.addresses, jobs))
        return collections.Counter(result["status"] for results in answers for result in results)

    def ask(self, address, jobs):
        with contextlib.closing(Client(address, self.cluster.key, timeout_s=300)) as client:
            return client.batch(jobs)

    def settled(self):
        """Those that run and those that wait for room, once there are no others and no server has room for one more."""
        workspaces = self.a4c(0, "workspace", "list", "--fresh")
        self.assertEqual([one["message"] for one in workspaces if one["actual"] == "failed"], [])
        running = [one for one in workspaces if one["actual"] == "running"]
        refusal = f"none of {len(self.engines)} servers fits: {len(self.engines)} disk; "
        waiting = [one for one in workspaces if one["actual"] == "pending" and one["message"].startswith(refusal)]
        is_true = not waiting or not any(self.has_room(server) for server in self.placement_now()["servers"])
        return (running, waiting) if len(running) + len(waiting) == self.count and is_true else None

    def placement_now(self):
        with contextlib.closing(Client(self.cluster.addresses[1], self.cluster.key)) as client:
            return client.ask("GET", f"/v1/placement:explain?disk={self.disk}&memory={MEMORY}").body

    def has_room(self, server):
        taken = server["disk_other_bytes"] + server["disk_committed_bytes"] + self.disk
        return taken <= WATERMARK * server["disk_total_bytes"]

    def assert_each_once(self, running):
        """A container of each on the server that its record names, and no container beside them."""
        containers = [(engine.host, name) for engine in self.engines for name, container in engine.containers().items()
                      if container["State"]["Running"]]
        self.assertEqual(sorted(containers), sorted((one["host"], f"ws-{one['id']}") for one in running))

    def assert_nothing_is_promised_twice(self, running):
        hosts = self.wait_for_servers()
        for engine in self.engines:
            here = {f"ws-{one['id']}" for one in running if one["host"] == engine.host}
            memory = sum(container["HostConfig"]["Memory"] for container in engine.containers().values())
            host, disk = hosts[engine.host], engine.file_systems()
            self.assertEqual(disk, {name: self.disk for name in here})
            self.assertEqual((sum(disk.values()), memory), (host["disk_committed_bytes"], host["memory_committed_bytes"]))
            self.assertLessEqual(host["disk_used_bytes"], host["disk_total_bytes"])
            self.assertLessEqual(sum(disk.values()), WATERMARK * host["disk_total_bytes"])
            self.assertLessEqual(memory, host["memory_total_bytes"])
            print(f"{engine.host}: {len(here)} containers, {sum(disk.values()) // MIB} of its "
                  f"{host['disk_total_bytes'] // MIB} MiB, {memory // MIB} MiB of memory", flush=True)

    def is_empty(self):
        """On the servers, and by the records."""
        promised = [host[what] for host in self.a4c(0, "host", "list")
                    for what in ("disk_committed_bytes", "memory_committed_bytes", "cpu_committed_millis")]
        left = [engine.units() or engine.volumes() or engine.file_systems() for engine in self.engines]
        return not any(promised) and not any(left) and not self.a4c(0, "workspace", "list", "--fresh")


if __name__ == "__main__":
    unittest.main()
