"""The checks of what has run find what they are for: hermetic, on lives made by hand."""
import copy
import unittest

from tests.cluster import run_checks


def life(*states):
    """Of a job, given as (state, attempts); the last one may be "deleted"."""
    versions = []
    for rev, (state, attempts) in enumerate(states, 1):
        body = versions[-1][1] if state == "deleted" else {"state": state, "attempts": attempts}
        versions.append((rev, body, state == "deleted"))
    return versions


RUN = (("pending", 0), ("running", 1), ("succeeded", 1))
TAKEN_OVER = (("pending", 0), ("running", 1), ("running", 2), ("succeeded", 2), ("deleted", 2))


class Case(unittest.TestCase):
    """A workspace in which two commands ran, an update and a delete; the first command was taken over."""

    def setUp(self):
        kinds = {"make": "workspace.create", "one": "command.run", "two": "command.run", "label": "workspace.update",
                 "end": "workspace.delete"}
        self.lines = []
        for op, (name, kind) in enumerate(kinds.items()):
            self.lines.append({"op": op, "type": "invoke", "f": kind, "record": name, "time_ns": op})
            self.lines.append({"op": op, "type": "ok", "id": f"job-{name}", "workspace": "ws", "rev": 1, "time_ns": op})
        self.jobs = {f"job-{name}": life(*RUN) for name in kinds}
        self.jobs["job-one"] = life(*TAKEN_OVER)
        labels = {"labels": {"label": "1"}}
        self.workspaces = {"ws": [(1, {"labels": {}}, False), (2, labels, False), (3, labels, True)]}
        self.ran = [("make", "begun", 1), ("one", "begun", 2), ("one", "begun", 3), ("one", "ended", 5),
                    ("two", "begun", 6), ("two", "ended", 7)]

    def faults(self):
        return run_checks.faults_of(self.lines, self.jobs, self.workspaces, self.ran)

    def assert_only_fault(self, word):
        faults = self.faults()
        self.assertEqual(len(faults), 1, faults)
        self.assertIn(word, faults[0])


class Faults(Case):
    def test_what_ran_as_it_was_asked_for_has_no_fault(self):
        self.assertEqual(self.faults(), [])

    def test_a_job_that_is_lost_is_told(self):
        del self.jobs["job-label"]
        self.assert_only_fault("label: it was acknowledged and is lost")

    def test_a_job_that_was_made_twice_is_told(self):
        self.jobs["job-again"] = copy.deepcopy(self.jobs["job-two"])
        self.assert_only_fault("nobody asked for job job-again")

    def test_a_job_that_did_not_end_is_told(self):
        self.jobs["job-end"] = life(*RUN[:2])
        self.assert_only_fault("end: it did not reach an end once")

    def test_a_job_that_ended_twice_is_told(self):
        self.jobs["job-two"] = life(*RUN, ("succeeded", 1))
        self.assertIn("two: it did not reach an end once", self.faults()[0])

    def test_a_job_that_runs_after_its_end_is_told(self):
        self.jobs["job-two"] = life(*RUN, ("running", 2), ("succeeded", 2))
        self.assertIn("two: it did not reach an end once", self.faults()[0])

    def test_a_job_that_failed_is_told(self):
        self.jobs["job-two"] = life(*RUN[:2], ("failed", 1))
        self.assert_only_fault("two: it failed")

    def test_a_job_that_was_canceled_is_told_unless_its_workspace_was_deleted(self):
        self.jobs["job-two"] = life(("pending", 0), ("canceled", 0))
        self.ran = self.ran[:4]
        self.assertEqual(self.faults(), [])
        self.assertEqual(len(run_checks.faults_of_job(self.jobs["job-two"], may_be_canceled=False)), 1)

    def test_an_attempt_that_does_not_count_may_be_taken_back(self):
        again = life(("pending", 0), ("running", 1), ("pending", 0), ("running", 1), ("succeeded", 1))
        self.assertEqual(run_checks.faults_of_job(again, False), [])
        self.assertEqual(run_checks.attempts_begun(again), 2)

    def test_attempts_that_do_not_follow_one_another_are_told(self):
        self.jobs["job-two"] = life(("pending", 0), ("running", 2), ("succeeded", 2))
        self.assertIn("do not follow one another", self.faults()[0])

    def test_a_rev_that_is_missing_is_told(self):
        self.jobs["job-two"][2] = (4, *self.jobs["job-two"][2][1:])
        self.assert_only_fault("two: its revs are [1, 2, 4]")

    def test_a_run_without_an_attempt_is_told(self):
        self.ran += [("two", "begun", 8), ("two", "ended", 9)]
        self.assert_only_fault("two: it ran 2 times in 1 attempts")

    def test_a_success_that_never_ran_is_told(self):
        self.ran = self.ran[:4]
        self.assert_only_fault("two: it succeeded and never ran")

    def test_two_commands_at_once_are_told(self):
        self.ran[4] = ("two", "begun", 4)
        self.assert_only_fault("two began before one had ended")

    def test_a_workspace_that_is_there_after_its_delete_is_told(self):
        self.workspaces["ws"].pop()
        self.assert_only_fault("workspace ws is there")

    def test_a_workspace_that_is_gone_without_a_delete_is_told(self):
        self.lines = [line for line in self.lines if line["op"] != 4]
        del self.jobs["job-end"]
        self.assert_only_fault("workspace ws is gone")

    def test_an_update_that_is_lost_is_told(self):
        self.workspaces["ws"] = [(1, {"labels": {}}, False), (2, {"labels": {}}, True)]
        self.assert_only_fault("label succeeded, and its workspace has no trace of it")


if __name__ == "__main__":
    unittest.main()
