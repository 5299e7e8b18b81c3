"""The checks find what they are for: hermetic, on histories made by hand."""
import unittest

from tests.cluster import checks
from tests.cluster.client import Answer
from tests.cluster.history import longest_gap_s
from tests.cluster.load import is_definite


def history(*operations):
    """Lines of operations given as (function, record, outcome, rev)."""
    lines = []
    for op, (function, record, outcome, rev) in enumerate(operations, 1):
        lines.append({"op": op, "type": "invoke", "f": function, "record": record, "time_ns": 2 * op})
        if outcome:
            lines.append({"op": op, "type": outcome, "rev": rev, "time_ns": 2 * op + 1})
    return lines


CREATED_AND_CANCELED = history(("create", "a", "ok", 1), ("cancel", "a", "ok", 2), ("get", "a", "ok", 2))


class Faults(unittest.TestCase):
    def only_fault(self, lines, stored):
        faults = checks.faults_of(lines, stored)
        self.assertEqual(len(faults), 1, faults)
        return faults[0]

    def test_a_store_that_holds_what_was_acknowledged_has_no_fault(self):
        self.assertEqual(checks.faults_of(CREATED_AND_CANCELED, {"a": [2]}), [])

    def test_a_refused_change_changes_nothing(self):
        lines = history(("create", "a", "ok", 1), ("cancel", "a", "fail", 0))
        self.assertEqual(checks.faults_of(lines, {"a": [1]}), [])
        self.assertIn("acknowledged were [1]", self.only_fault(lines, {"a": [2]}))

    def test_a_lost_record_is_told(self):
        self.assertIn("is lost", self.only_fault(CREATED_AND_CANCELED, {}))

    def test_a_lost_change_is_told(self):
        self.assertIn("acknowledged at rev 2 and is at 1", self.only_fault(CREATED_AND_CANCELED, {"a": [1]}))

    def test_a_key_that_was_used_twice_is_told(self):
        self.assertIn("created 2 times", self.only_fault(CREATED_AND_CANCELED, {"a": [2, 2]}))

    def test_a_change_that_was_done_twice_is_told(self):
        self.assertIn("is at rev 3", self.only_fault(CREATED_AND_CANCELED, {"a": [3]}))

    def test_two_clients_that_were_both_told_the_same_rev_are_told(self):
        lines = CREATED_AND_CANCELED + [{**line, "op": 9} for line in CREATED_AND_CANCELED if line["op"] == 2]
        self.assertIn("[1, 2, 2]", self.only_fault(lines, {"a": [2]}))

    def test_what_was_never_resolved_is_told(self):
        lines = history(("create", "a", "ok", 1), ("cancel", "a", "unknown", 0))
        self.assertIn("never resolved", self.only_fault(lines, {"a": [1]}))

    def test_a_record_that_nobody_created_is_told(self):
        self.assertIn("nobody created b", self.only_fault(CREATED_AND_CANCELED, {"a": [2], "b": [1]}))


class Answers(unittest.TestCase):
    def test_a_key_in_progress_or_an_unknown_outcome_is_no_definite_answer(self):
        problem = {"type": "urn:a4c:problem:idempotency-in-progress"}
        self.assertFalse(is_definite(Answer(409, {}, problem)))
        self.assertFalse(is_definite(Answer(503, {}, {"type": "urn:a4c:problem:outcome-unknown"})))

    def test_a_refusal_by_state_or_version_is_one(self):
        self.assertTrue(is_definite(Answer(409, {}, {"type": "urn:a4c:problem:conflict"})))
        self.assertTrue(is_definite(Answer(412, {}, {"type": "urn:a4c:problem:precondition-failed"})))


class Gaps(unittest.TestCase):
    def test_the_gap_is_the_longest_time_without_an_acknowledged_write(self):
        lines = [{"op": 1, "type": "invoke", "f": "create", "time_ns": 0}, {"op": 1, "type": "ok", "time_ns": 10**9},
                 {"op": 2, "type": "invoke", "f": "get", "time_ns": 0}, {"op": 2, "type": "ok", "time_ns": 3 * 10**9},
                 {"op": 3, "type": "invoke", "f": "cancel", "time_ns": 0}, {"op": 3, "type": "ok", "time_ns": 4 * 10**9}]
        self.assertEqual(longest_gap_s(lines, 0, 5 * 10**9), 3)


if __name__ == "__main__":
    unittest.main()
