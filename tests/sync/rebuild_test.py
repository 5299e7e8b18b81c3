"""The index is built anew on real servers, under load: by an instance that is killed in the middle of it, and because
somebody has deleted it.

    eval "$(dev/stack/stack env)"
    A4C_TEST_BIN=build/dev/bin python3 -B -m unittest -v tests.sync.rebuild_test
"""
import json
import os
import secrets
import tempfile
import unittest

from tests.cluster import checks, stack
from tests.cluster.client import Client, CommandLine
from tests.cluster.cluster import Cluster, wait_until
from tests.cluster.history import History
from tests.cluster.load import Load

RECORDS = 4_000
# Small pages, so that the copying takes a while, and a short lease, so that it is taken over soon.
DATABASE = {"sync_batch_max": 10, "task_lease": "3s"}


def setUpModule():
    stack.need("A4C_TEST_BIN", "A4C_TEST_POSTGRES_DSN", "A4C_TEST_KAFKA_BROKERS", "A4C_TEST_ELASTICSEARCH_URLS")


class RebuildOfTheIndex(unittest.TestCase):
    def setUp(self):
        folder = os.environ.get("A4C_TEST_WORK") or tempfile.mkdtemp(prefix="a4c-rebuild-")
        self.cluster = Cluster(folder, database=DATABASE)
        self.addCleanup(self.cluster.drop)
        self.addCleanup(self.cluster.abandon)
        # The first serves and syncs all the time; of the others, which do the work, one lives at a time.
        self.first, self.worker, self.successor = self.cluster.instances
        self.first.set_config(roles=["api", "sync"])
        for instance in (self.first, self.worker):
            instance.start()
            instance.wait_ready()
        self.index = f"{self.cluster.index_prefix}jobs"
        self.client = Client(self.first.address, self.cluster.key, timeout_s=60)
        self.addCleanup(self.client.close)
        self.a4c = CommandLine(f"http://{self.first.address}", self.cluster.key)
        self.history = History(self.cluster.folder / "history.jsonl")
        self.addCleanup(self.history.close)

    def test_a_killed_rebuild_is_finished_by_another_instance_and_loses_no_write(self):
        self.fill()
        load = Load([self.first.address], self.cluster.key, self.history, seed=secrets.token_hex(4), clients=3,
                    pause_s=0.02)
        load.start()
        try:
            self.rebuild_under_a_kill()
        finally:
            load.stop()
        wait_until("the index to be the store", lambda: not checks.index_differs(self.cluster.schema, self.index), 120)
        lines = self.history.lines()
        stored = checks.stored_revs(self.cluster.schema)
        self.assertEqual(checks.faults_of(lines, stored), [])
        print(f"{len(stored)} records were changed during the rebuild", flush=True)
        self.assertEqual(self.verified()["drift"], 0)
        self.old_index_can_go()
        self.cluster.stop()

    def test_an_index_that_somebody_deletes_comes_back_and_loses_no_write(self):
        self.fill()
        load = Load([self.first.address], self.cluster.key, self.history, seed=secrets.token_hex(4), clients=3,
                    pause_s=0.02)
        load.start()
        try:
            for number, path in enumerate(("-000001", f"-000002/_alias/{self.index}"), 2):
                checks.ask("DELETE", f"/{self.index}{path}")
                wait_until("a sync that says so", self.sync_trouble, 60)
                wait_until("the end of a rebuild", lambda number=number: self.has_rebuilt(number), 240)
                self.assertEqual(self.live_indices(), [f"{self.index}-{number:06}"])
                wait_until("a sync without trouble", lambda: not self.sync_trouble(), 60)
        finally:
            load.stop()
        wait_until("the index to be the store", lambda: not checks.index_differs(self.cluster.schema, self.index), 120)
        self.assertEqual(checks.faults_of(self.history.lines(), checks.stored_revs(self.cluster.schema)), [])
        self.assertEqual(self.verified()["drift"], 0)
        said = sum(instance.log_path.read_text().count("the search index is gone: it is rebuilt")
                   for instance in (self.first, self.worker))
        self.assertEqual(said, 2)
        self.cluster.stop()

    def sync_trouble(self):
        answer = self.client.ask("GET", "/readyz?role=sync")
        return "" if answer.status == 200 else str(answer.body)

    def has_rebuilt(self, number):
        task = self.client.ask("GET", "/v1/sync/tasks/rebuild").body
        return (task.get("state"), task.get("generation")) == ("succeeded", number)

    def rebuild_under_a_kill(self):
        self.a4c.run("sync", "rebuild", "--no-wait")
        wait_until("copied records", lambda: self.task()["phase"] == "copying" and self.task()["done"] > 0, 60)
        self.worker.kill()
        killed = self.task()
        self.assertEqual((killed["state"], killed["phase"]), ("running", "copying"), "it was too fast to be killed")
        self.assertLess(killed["done"], RECORDS)
        self.assertEqual(self.live_indices(), [f"{self.index}-000001"])
        self.successor.start()
        self.successor.wait_ready()
        seen = []
        ended = wait_until("the end of the rebuild", lambda: self.ended(seen), 240)
        self.assertEqual(ended["state"], "succeeded", ended)
        # It went on where the other was: the copying never began again.
        copied = [done for phase, done in seen if phase == "copying"]
        self.assertGreaterEqual(min(copied, default=killed["done"]), killed["done"])
        self.assertEqual(self.live_indices(), [f"{self.index}-000002"])

    def ended(self, seen):
        task = self.task()
        seen.append((task["phase"], task["done"]))
        return task if task["state"] != "running" else None

    def fill(self):
        body = {"type": "image.build", "delay": "24h", "payload": {"tag": "t", "context": "eA=="}}
        for start in range(0, RECORDS, 1_000):
            results = self.client.batch([{**body, "title": f"number {start + i}"} for i in range(1_000)])
            self.assertEqual([result["status"] for result in results], [201] * 1_000)
        wait_until("all to be searchable", lambda: self.a4c.json("sync", "status")["outbox_rows"] == 0, 240)

    def task(self):
        answer = self.client.ask("GET", "/v1/sync/tasks/rebuild")
        self.assertEqual(answer.status, 200, answer.body)
        return answer.body

    def live_indices(self):
        return sorted(checks.ask("GET", f"/_alias/{self.index}"))

    def verified(self):
        wait_until("an empty outbox", lambda: self.a4c.json("sync", "status")["outbox_rows"] == 0, 120)
        return json.loads(self.a4c.run("sync", "verify", "-o", "json"))

    def old_index_can_go(self):
        self.assertEqual(self.a4c.run("sync", "rebuild", "--drop-old", "-o", "table"), "dropped 1 generation\n")
        self.assertEqual(sorted(checks.ask("GET", f"/{self.index}-*/_alias")), [f"{self.index}-000002"])


if __name__ == "__main__":
    unittest.main()
