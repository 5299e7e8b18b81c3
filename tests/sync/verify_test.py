"""An index that somebody has tampered with is found out, repaired, and told about by exit codes.

    A4C_TEST_BIN=build/dev/bin python3 -B -m unittest -v tests.sync.verify_test
"""
import contextlib
import json
import sqlite3
import unittest

from tests.cluster import stack
from tests.sync.case import Case


def setUpModule():
    stack.need("A4C_TEST_BIN")


class Drift(Case):
    def test_a_document_that_was_set_back_is_found_and_repaired(self):
        side = self.side(store=self.sqlite("store", "one"), search=self.sqlite("search", "one"))
        side.start()
        job, *_ = side.create(0, 5)
        self.assertEqual(side.client.ask("POST", f"/v1/jobs/{job}:cancel", None, {"If-Match": "*"}).status, 200)
        self.assertEqual(side.prove(), 5)
        side.stop()
        self.set_back(job)
        side.start()
        for _ in range(2):  # looking changes nothing
            looked = self.verify(side, 1, "--dry-run")
            self.assertEqual((looked["drift"], looked["mismatched_buckets"], looked["done"]), (1, 1, 5))
            self.assertEqual([one["id"] for one in looked["examples"]], [job])
        self.assertEqual(self.verify(side, 1)["drift"], 1)
        self.assertEqual(side.prove(), 5)
        self.assertEqual(side.total("state:canceled"), 1)
        side.stop()

    def set_back(self, job):
        with contextlib.closing(sqlite3.connect(self.folder / "search-one.db")) as file, file:
            changed = file.execute('UPDATE "d_job.1" SET rev = rev - 1, digest = digest + 1 WHERE id = ?', (job,))
            self.assertEqual(changed.rowcount, 1)

    def verify(self, side, exit_code, *flags):
        return json.loads(side.a4c.run("sync", "verify", "-o", "json", *flags, exit_code=exit_code))


if __name__ == "__main__":
    unittest.main()
