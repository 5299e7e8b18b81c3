"""Instances of one installation that a test starts and stops one after another."""
import json
import os
import pathlib
import secrets
import tempfile
import unittest

from tests.cluster.client import Client, CommandLine
from tests.cluster.cluster import wait_until
from tests.cluster.instance import Instance

BODY = {"type": "image.build", "delay": "24h", "payload": {"tag": "t", "context": "eA=="}}


class Side:
    """An instance with its clients."""

    def __init__(self, number, folder, key_file, **sections):
        self.key_file = key_file
        self.instance = Instance(number, folder, {"api": {"rate_per_s": 0, "bootstrap_key_file": str(key_file)},
                                                  "hosts": {"plugin": "none"}, **sections})
        self.client = self.a4c = None

    def start(self):
        self.instance.start()
        self.instance.wait_ready()
        key = self.key_file.read_text().strip()
        self.client = Client(self.instance.address, key, timeout_s=60)
        self.a4c = CommandLine(f"http://{self.instance.address}", key)

    def stop(self):
        self.client.close()
        self.instance.stop()

    def create(self, first, count):
        results = self.client.batch([{**BODY, "title": f"number {number}"} for number in range(first, first + count)])
        return [result["id"] for result in results]

    def job(self, job_id):
        answer = self.client.ask("GET", f"/v1/jobs/{job_id}")
        return answer.body, answer.headers.get("ETag")

    def total(self, query):
        return self.client.ask("GET", f"/v1/jobs?limit=1&q={query}").body["total"]

    def outbox_rows(self):
        return self.a4c.json("sync", "status")["outbox_rows"]

    def prove(self):
        wait_until("an empty outbox", lambda: self.outbox_rows() == 0, 120)
        task = self.verify()
        # The first may be one that a4cd had begun by itself before all was in the index.
        if not task["drift"]:
            task = self.verify()
        if task["drift"] or task["mismatched_buckets"]:
            raise AssertionError(f"the index is not the store: {task}")
        return task["done"]

    def verify(self):
        return json.loads(self.a4c.run("sync", "verify", "-o", "json"))


class Case(unittest.TestCase):
    def setUp(self):
        self.name = "move" + secrets.token_hex(4)
        self.folder = pathlib.Path(os.environ.get("A4C_TEST_WORK") or tempfile.mkdtemp(prefix="a4c-move-")) / self.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.sides = []
        self.addCleanup(self.abandon)

    def abandon(self):
        for side in self.sides:
            process = side.instance.process
            if process is not None and process.poll() is None:
                side.instance.kill()

    def side(self, **sections):
        self.sides.append(Side(len(self.sides) + 1, self.folder, self.folder / "first-key", **sections))
        return self.sides[-1]

    def sqlite(self, kind, name):
        return {"plugin": f"{kind}-sqlite", "config": {"path": str(self.folder / f"{kind}-{name}.db")}}
