"""A trace on the rungs of an installation: store and index are proven equal, and all rungs answer queries alike.

    python3 -B -m unittest -v tests.sync.trace_test.Embedded
    eval "$(dev/stack/stack env)"; A4C_TRACE=FOLDER python3 -B -m unittest -v tests.sync.trace_test

A4C_TRACE names a folder with a trace (tests/sync/trace.py); without it one is made up of A4C_TRACE_TASKS tasks (60).
A4C_TEST_BIN is where a4cd and a4c were built. The answers are also compared to what the queries mean.
"""
import os
import pathlib
import secrets
import tempfile
import time
import unittest

from tests.cluster import stack
from tests.sync import trace as traces
from tests.sync.queries import Queries
from tests.sync.replay import Replay

QUERIES = 200
PAGES_MAX = 4  # of a query that finds more, only the number is compared


def setUpModule():
    stack.need("A4C_TEST_BIN")


def the_trace():
    folder = os.environ.get("A4C_TRACE")
    if folder:
        return traces.read(folder)
    return traces.make("a trace", 20, int(os.environ.get("A4C_TRACE_TASKS") or 60))


class Rungs(unittest.TestCase):
    def setUp(self):
        self.name = "trace" + secrets.token_hex(4)
        self.folder = pathlib.Path(os.environ.get("A4C_TEST_WORK") or tempfile.mkdtemp(prefix="a4c-trace-")) / self.name
        self.trace = the_trace()

    def embedded(self):
        return {"store": {"plugin": "store-sqlite", "config": {"path": str(self.folder / "store.db")}},
                "search": {"plugin": "search-sqlite", "config": {"path": str(self.folder / "search.db")}}}

    def in_memory(self):
        return {"store": {"plugin": "store-memory"}, "search": {"plugin": "search-memory"}}

    def one_database(self):
        dsn, schema = os.environ["A4C_TEST_POSTGRES_DSN"], self.name + "_one"
        for one in (schema, schema + "_search"):
            self.addCleanup(stack.sql, f"DROP SCHEMA IF EXISTS {one} CASCADE")
        return {"store": {"plugin": "store-postgres", "config": {"dsn": dsn, "schema": schema}},
                "search": {"plugin": "search-postgres", "config": {"dsn": dsn, "schema": schema + "_search"}}}

    def production(self):
        dsn, schema = os.environ["A4C_TEST_POSTGRES_DSN"], self.name + "_all"
        self.addCleanup(stack.sql, f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        return {"store": {"plugin": "store-postgres", "config": {"dsn": dsn, "schema": schema}},
                "bus": {"plugin": "bus-kafka", "config": {"brokers": os.environ["A4C_TEST_KAFKA_BROKERS"]}},
                "search": {"plugin": "search-elastic",
                           "config": {"urls": os.environ["A4C_TEST_ELASTICSEARCH_URLS"].split(","),
                                      "index_prefix": self.name + "_"}}}

    def answers_of(self, rung):
        """Of a rung that has run the trace and was proven; by query."""
        replay = Replay(self.folder / rung.__name__, self.trace, **rung())
        begun = time.monotonic()
        try:
            replay.start().run()
            took_s = time.monotonic() - begun
            verified = replay.prove()
            queries = Queries("queries", replay.documents).draw(QUERIES)
            answers = {text: replay.find(text, PAGES_MAX) for text in queries}
            print(f"{rung.__name__}: {len(replay.documents)} jobs in {took_s:.0f} s, {verified['done']} records proven "
                  f"equal, {len(answers)} queries", flush=True)
            replay.stop()
        finally:
            if replay.instance.process is not None:
                replay.instance.kill()
        self.check_meaning(queries, replay.documents, answers)
        return answers

    def check_meaning(self, queries, documents, answers):
        found_some = 0
        for text, holds in queries.items():
            titles = sorted(document["title"] for document in documents if holds(document))
            total, found = answers[text]
            self.assertEqual(total, len(titles), text)
            if found is not None:
                self.assertEqual(found, titles, text)
            found_some += 0 < total < len(documents)
        self.assertGreater(found_some, len(queries) / 3, "most queries find nothing or everything")


class Embedded(Rungs):
    def test_the_embedded_rung_and_the_one_in_memory_are_proven_and_answer_alike(self):
        self.assertEqual(self.answers_of(self.embedded), self.answers_of(self.in_memory))


class Servers(Rungs):
    def setUp(self):
        stack.need("A4C_TEST_POSTGRES_DSN", "A4C_TEST_KAFKA_BROKERS", "A4C_TEST_ELASTICSEARCH_URLS")
        super().setUp()

    def test_all_rungs_are_proven_and_answer_alike(self):
        answers = self.answers_of(self.production)
        self.assertEqual(answers, self.answers_of(self.one_database))
        self.assertEqual(answers, self.answers_of(self.embedded))


if __name__ == "__main__":
    unittest.main()
