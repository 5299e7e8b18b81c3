"""What is away for a minute on real servers, while clients go on: no write fails or takes long for it, nothing is lost,
and the index is the store soon after.

    eval "$(dev/stack/stack env)"     # one search node, so that its fault is an outage
    A4C_TEST_BIN=build/dev/bin python3 -B -m unittest -v tests.faults.outages_test

A4C_OUTAGE_S says how long (60).
"""
import json
import os
import secrets
import tempfile
import threading
import time
import unittest

from tests.cluster import checks, stack
from tests.cluster.client import Client, CommandLine
from tests.cluster.cluster import Cluster, wait_until
from tests.cluster.history import History, operations_of
from tests.cluster.load import Load
from tests.faults import servers

OUTAGE_S = int(os.environ.get("A4C_OUTAGE_S") or 60)
PROMISED_S = 35  # after which the index is the store
LAG_MAX_S = 10  # past which who syncs is not ready
LAGS = "a change has waited for"
SLOWEST_S = 5  # of a request; half of api.request_timeout
POLL_INTERVAL_S = 6  # a broker takes no shorter session_timeout, and poll_interval_max is no shorter than that


def setUpModule():
    stack.need("A4C_TEST_BIN", "A4C_TEST_POSTGRES_DSN", "A4C_TEST_KAFKA_BROKERS", "A4C_TEST_ELASTICSEARCH_URLS")


def ask(instance, path):
    client = Client(instance.address)
    try:
        return client.ask("GET", path)
    finally:
        client.close()


class OutageCase(unittest.TestCase):
    def setUp(self):
        folder = os.environ.get("A4C_TEST_WORK") or tempfile.mkdtemp(prefix="a4c-outages-")
        self.cluster = Cluster(folder, 2, sync_apart=2, database={"ready_lag_max": f"{LAG_MAX_S}s"})
        self.addCleanup(self.cluster.drop)
        self.addCleanup(self.cluster.abandon)
        self.bus = {"brokers": os.environ["A4C_TEST_KAFKA_BROKERS"], "session_timeout": f"{POLL_INTERVAL_S}s",
                    "poll_interval_max": f"{POLL_INTERVAL_S}s"}
        for instance in self.cluster.instances:
            instance.set_config(bus={"plugin": "bus-kafka", "config": self.bus})
        self.cluster.start()
        self.history = History(self.cluster.folder / "history.jsonl")
        self.addCleanup(self.history.close)
        self.index = f"{self.cluster.index_prefix}jobs"
        self.client = Client(self.cluster.addresses[0], self.cluster.key)
        self.addCleanup(self.client.close)
        seed = os.environ.get("A4C_FAULTS_SEED") or secrets.token_hex(4)
        self.load = Load(self.cluster.addresses, self.cluster.key, self.history, seed=seed, pause_s=0.05)
        self.addCleanup(self.load.ending.set)
        self.readiness = Readiness(self.cluster)
        self.addCleanup(self.readiness.ending.set)
        print(f"seed {seed}, history {self.history.path}", flush=True)

    def begin(self):
        """The load goes on, and the index follows by hints alone."""
        self.load.start()
        wait_until("operations", lambda: self.history.operations > 200 or self.load.errors, 60)
        self.readiness.start()

    def hold_until_not_ready(self, outage_s=OUTAGE_S):
        """What is away stays away for so long, and who syncs says how long a change has waited."""
        end = time.monotonic() + outage_s
        wait_until("what lags to be told", lambda: any(LAGS in why for why in self.not_ready()), outage_s)
        time.sleep(max(0, end - time.monotonic()))

    def not_ready(self):
        """Why each of those who sync is not, or nothing."""
        answers = [ask(instance, "/readyz?role=sync") for instance in self.cluster.syncing]
        return [answer.body for answer in answers if answer.status != 200]

    def wait_ready(self):
        try:
            wait_until("who syncs to be ready", lambda: not self.not_ready(), PROMISED_S)
        except AssertionError as late:
            raise AssertionError(f"{late}: {self.not_ready()}") from None

    def prove(self, what):
        """After it is back: nothing failed, nothing is lost, the index is the store, and hints bring changes again."""
        healed = time.monotonic()
        self.load.stop()
        wait_until("the index to be the store", self.index_is_the_store, PROMISED_S)
        equal_s = time.monotonic() - healed
        self.wait_ready()
        self.readiness.stop()
        lines = self.history.lines()
        slowest_s = self.no_request_failed(lines)
        self.assertEqual(checks.faults_of(lines, checks.stored_revs(self.cluster.schema)), [])
        self.assertEqual(self.readiness.faults, [])
        verified = self.verify()
        hints_s = self.hints_work_again()
        print(f"{what}: {len(operations_of(lines))} operations, none failed, slowest {slowest_s:.2f} s; longest lag "
              f"{self.readiness.longest_lag_s:.1f} s; index equal {equal_s:.1f} s and hints at work {hints_s:.1f} s after; "
              f"verified {verified} records", flush=True)
        self.cluster.stop()

    def index_is_the_store(self):
        try:
            return not checks.index_differs(self.cluster.schema, self.index)
        except OSError:
            return False

    def no_request_failed(self, lines):
        """The longest time that one took."""
        self.assertEqual([line for line in lines if line["type"] == "unknown"], [])
        slowest_ns = max(one.end["time_ns"] - one.begun_ns for one in operations_of(lines).values())
        self.assertLess(slowest_ns / 1e9, SLOWEST_S)
        return slowest_ns / 1e9

    def verify(self):
        """By `a4c`, which ends with 1 if anything had drifted."""
        a4c = CommandLine(f"http://{self.cluster.addresses[1]}", self.cluster.key)
        task = json.loads(a4c.run("sync", "verify", "-o", "json"))
        self.assertEqual((task["drift"], task["mismatched_buckets"]), (0, 0), task)
        return task["done"]

    def hints_work_again(self):
        """So long until changes are searchable although no poller finds any."""
        begun = time.monotonic()
        wait_until("hints to bring changes", self.brought_by_hints, 2 * PROMISED_S)
        return time.monotonic() - begun

    def brought_by_hints(self):
        before = self.found_by_pollers()
        body = {"type": "image.build", "delay": "24h", "payload": {"tag": "t", "context": "eA=="}}
        self.client.batch([body] * 20)
        wait_until("the index to be the store", self.index_is_the_store, PROMISED_S)
        return self.found_by_pollers() == before

    def found_by_pollers(self):
        """Changes that no hint had brought."""
        found = 0.0
        for instance in self.cluster.syncing:
            lines = ask(instance, "/metrics").body.splitlines()
            found += sum(float(line.split()[-1]) for line in lines if line.startswith("a4c_poll_found_total"))
        return found


class Readiness:
    """Looks every half second: who serves is ready all the time, and a lag past the bound is told."""

    def __init__(self, cluster):
        self.cluster, self.faults, self.longest_lag_s, self.ending = cluster, [], 0, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def start(self):
        self.thread.start()

    def stop(self):
        self.ending.set()
        self.thread.join()

    def run(self):
        client = Client(self.cluster.addresses[1], self.cluster.key)
        while not self.ending.wait(0.5):
            try:
                self.look(client)
            except OSError as error:
                self.faults.append(str(error))
        client.close()

    def look(self, client):
        before, told, after = self.lag_s(client), client.ask("GET", "/readyz?role=sync").body, self.lag_s(client)
        self.longest_lag_s = max(self.longest_lag_s, before, after)
        if client.ask("GET", "/readyz").status != 200:
            self.faults.append("who serves was not ready")
        if min(before, after) > LAG_MAX_S + 2 and LAGS not in told:
            self.faults.append(f"the lag was {before} and {after} s, and it was told: {told}")

    @staticmethod
    def lag_s(client):
        return client.ask("GET", "/v1/sync").body["lag_ms"] / 1000


class Outages(OutageCase):
    def test_kafka_is_away(self):
        self.begin()
        servers.broker().kill(0, meanwhile=self.hold_until_not_ready)
        self.prove("Kafka away")

    def test_the_topic_is_deleted_and_made_anew_again_and_again(self):
        self.begin()
        for _ in range(3):
            stack.run("kafka/remake", "job-sync")
            time.sleep(OUTAGE_S / 6)
        self.prove("topic made anew three times")

    def test_the_search_engine_is_away(self):
        self.begin()
        servers.search_node(None).kill(0, meanwhile=self.search_is_away)
        self.prove("search engine away")

    def search_is_away(self):
        self.hold_until_not_ready()
        self.assertEqual(self.client.ask("GET", "/v1/jobs?q=labels.record:*").status, 503)

    def test_the_index_takes_no_writes(self):
        self.begin()
        for block in ("write", "read_only"):
            servers.block_index(self.index, block, True)
            self.hold_until_not_ready(OUTAGE_S / 2)
            self.assertEqual(self.client.ask("GET", "/v1/jobs?q=labels.record:*").status, 200)
            servers.block_index(self.index, block, False)
            self.wait_ready()
        self.prove("index read-only, twice")

    def test_who_syncs_is_stopped_for_longer_than_the_group_waits(self):
        first, second = (instance.process.pid for instance in self.cluster.syncing)
        self.begin()
        with servers.paused([first]):  # the other one takes over what it had
            time.sleep(OUTAGE_S / 2)
        self.wait_ready()
        with servers.paused([first, second]):  # whoever else is asked tells the lag
            wait_until("what lags to be told", lambda: LAGS in self.client.ask("GET", "/readyz?role=sync").body, OUTAGE_S)
            time.sleep(OUTAGE_S / 3)
        self.prove("who syncs stopped")


if __name__ == "__main__":
    unittest.main()
