"""An installation moves to another store and to another search index, by `a4cd migrate-backend`, as operators do it.

    python3 -B -m unittest -v tests.sync.migrate_test.Embedded
    eval "$(dev/stack/stack env)"; A4C_TEST_BIN=build/dev/bin python3 -B -m unittest -v tests.sync.migrate_test
"""
import json
import os
import subprocess
import unittest

from tests.cluster import stack
from tests.cluster.instance import binary
from tests.sync.case import Case

RECORDS = 1_200


def setUpModule():
    stack.need("A4C_TEST_BIN")


class Migration(Case):
    def command(self, what, old, new, *flags):
        return [binary("a4cd"), "--config", old.instance.config_path, "migrate-backend", what, "--to",
                new.instance.config_path, *flags]

    def migrate(self, what, old, new, *flags):
        """The last word."""
        done = subprocess.run(self.command(what, old, new, *flags), text=True, capture_output=True, check=False,
                              timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        return json.loads(done.stdout)

    def kill_a_migration(self, what, old, new):
        with subprocess.Popen(self.command(what, old, new), text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            self.assertIn("phase", json.loads(process.stderr.readline()))
            process.kill()

    def move_store(self, source, target, serves):
        """serves: the old store lets others read while an instance has it."""
        search = self.sqlite("search", "one")
        old, new = self.side(store=source, search=search), self.side(store=target, search=search)
        old.start()
        jobs = old.create(0, RECORDS)
        if not serves:
            old.stop()
        self.kill_a_migration("store", old, new)
        self.assertEqual(self.migrate("store", old, new)["phase"], "copied")
        if not serves:
            old.start()
        jobs += old.create(RECORDS, 50)
        for job in jobs[:20]:
            answer = old.client.ask("POST", f"/v1/jobs/{job}:cancel", None, {"If-Match": "*"})
            self.assertEqual(answer.status, 200, answer.body)
        before = [old.job(job) for job in jobs]
        old.stop()
        done = self.migrate("store", old, new, "--cut-over")
        self.assertEqual(done["phase"], "cut over")
        self.check_refuses_to_start(old)
        new.start()
        self.assertEqual([new.job(job) for job in jobs], before)
        self.assertGreaterEqual(new.prove(), len(jobs))
        self.assertEqual(new.total("state:canceled"), 20)
        new.stop()

    def check_refuses_to_start(self, old):
        old.instance.start()
        self.assertNotEqual(old.instance.process.wait(60), 0)
        self.assertIn("have moved to", old.instance.log_end())

    def move_search(self, store, target):
        old, new = self.side(store=store, search=self.sqlite("search", "old")), self.side(store=store, search=target)
        old.start()
        old.create(0, RECORDS)
        self.kill_a_migration("search", old, new)
        self.assertEqual(self.migrate("search", old, new)["phase"], "copied")
        old.create(RECORDS, 50)
        self.assertEqual(self.migrate("search", old, new, "--cut-over")["phase"], "cut over")
        old.client.close()  # a connection that was idle for so long is at its end
        old.create(RECORDS + 50, 10)
        self.assertGreaterEqual(old.outbox_rows(), 10, "a retired index confirms nothing")
        new.start()
        old.stop()
        new.prove()
        self.assertEqual(new.total("state:pending"), RECORDS + 60)
        new.stop()


class Embedded(Migration):
    def test_a_store_moves_to_another_file_though_a_copy_was_killed(self):
        self.move_store(self.sqlite("store", "old"), self.sqlite("store", "new"), serves=False)


class Servers(Migration):
    def setUp(self):
        stack.need("A4C_TEST_POSTGRES_DSN", "A4C_TEST_ELASTICSEARCH_URLS")
        super().setUp()

    def postgres(self, name):
        schema = f"a4c_{self.name}_{name}"
        self.addCleanup(stack.sql, f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        return {"plugin": "store-postgres", "config": {"dsn": os.environ["A4C_TEST_POSTGRES_DSN"], "schema": schema}}

    def test_a_store_moves_from_sqlite_to_postgresql(self):
        self.move_store(self.sqlite("store", "old"), self.postgres("new"), serves=False)

    def test_a_store_in_postgresql_is_copied_while_it_serves(self):
        self.move_store(self.postgres("old"), self.postgres("new"), serves=True)

    def test_an_index_moves_from_sqlite_to_elasticsearch_while_it_serves(self):
        config = {"urls": os.environ["A4C_TEST_ELASTICSEARCH_URLS"].split(","), "index_prefix": f"a4c_{self.name}_"}
        self.move_search(self.postgres("one"), {"plugin": "search-elastic", "config": config})


if __name__ == "__main__":
    unittest.main()
