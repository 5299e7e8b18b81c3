"""A second installation on the same servers, whose workers do what they are asked for: processes on host-local.

It stands beside the other one because there a record's history is what clients did to it, and nobody else."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import tempfile

from tests.cluster import checks, run_checks, stack
from tests.cluster.client import Client
from tests.cluster.cluster import Cluster, wait_until
from tests.cluster.history import History
from tests.cluster.runs import Runs

LEASE_S = 10  # longer than any fault holds a worker
END_LIMIT_S = 120
PAGE = 500

# Every version that the store ever holds, noted by the server itself.
SEEN = """
CREATE TABLE {schema}.seen (number bigserial, kind text, id text, rev bigint, body jsonb, tombstone boolean);
CREATE FUNCTION {schema}.see() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
  INSERT INTO {schema}.seen (kind, id, rev, body, tombstone)
    VALUES (TG_TABLE_NAME, NEW.id, NEW.rev, NEW.body::jsonb, NEW.tombstone);
  RETURN NULL;
END $$;
CREATE TRIGGER seen AFTER INSERT OR UPDATE OF rev ON {schema}.job FOR EACH ROW EXECUTE FUNCTION {schema}.see();
CREATE TRIGGER seen AFTER INSERT OR UPDATE OF rev ON {schema}.workspace FOR EACH ROW EXECUTE FUNCTION {schema}.see();
"""


class Working:
    """What succeeded is deleted after two seconds, so that searches have tombstones to hide."""

    def __init__(self, folder, seed, durability):
        # Units of an unprivileged user have to reach it.
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="a4c-faults-", dir="/tmp"))
        self.place.chmod(0o755)
        self.ran = self.place / "ran"
        self.ran.touch()
        self.ran.chmod(0o666)
        self.cluster = Cluster(folder, 2, durability=durability, work={"lease": f"{LEASE_S}s", "workers": 3},
                               retention={"jobs_succeeded": "2s", "period": "1s"})
        for instance in self.cluster.instances:
            instance.set_config(hosts={"plugin": "host-local", "config": self.provider()})
        self.seed, self.history, self.load = seed, None, None

    def provider(self):
        servers = [{"id": f"local-{number}", "path": str(self.place / f"local-{number}"), "disk": "1GiB"} for number in (1, 2)]
        return {"servers": servers, **({"run_as_user": "nobody"} if os.geteuid() == 0 else {})}

    def start(self):
        self.cluster.start()
        stack.sql(SEEN.format(schema=self.cluster.schema))
        self.history = History(self.cluster.folder / "runs.jsonl")
        self.load = Runs(self.cluster.addresses, self.cluster.key, self.history, seed=f"{self.seed}/runs", clients=2,
                         pause_s=0.6, ran=self.ran).start()

    def end(self):
        """Nothing is asked for any more (load.stop()), and all that was asked for comes to its end."""
        self.load.delete_all()
        wait_until("all jobs to end", lambda: not self.unfinished(), END_LIMIT_S)
        wait_until("what succeeded to be deleted", lambda: not self.living("body->>'state' = 'succeeded'"), END_LIMIT_S)

    def unfinished(self):
        return self.living("body->>'state' IN ('pending', 'running')")

    def living(self, condition):
        return [job for job, in stack.sql(f"SELECT id FROM {self.cluster.schema}.job WHERE NOT tombstone AND {condition}")]

    def index_differs(self):
        try:
            return checks.index_differs(self.cluster.schema, f"{self.cluster.index_prefix}jobs")
        except OSError as error:
            return str(error)

    def faults(self):
        """Everything that breaks a promise, once all has ended and the index is the store."""
        found = run_checks.faults_of(self.history.lines(), self.lives("job"), self.lives("workspace"), self.notes())
        return found + self.load.asked_again() + self.shown_although_deleted() + self.left_behind()

    def lives(self, kind):
        lives = {}
        for key, rev, tombstone, body in stack.sql(f"SELECT id, rev, tombstone, body FROM {self.cluster.schema}.seen "
                                                   f"WHERE kind = '{kind}' ORDER BY id, rev, number"):
            lives.setdefault(key, []).append((int(rev), json.loads(body or "{}"), tombstone == "t"))
        return lives

    def notes(self):
        rows = [line.split() for line in self.ran.read_text().splitlines()]
        return [(run, what, int(at)) for run, what, at in rows]

    def shown_although_deleted(self):
        client = Client(self.cluster.addresses[0], self.cluster.key)
        try:
            return list(self.differences(client))
        finally:
            client.close()

    def differences(self, client):
        """Between what a user is shown, and what of all that was acknowledged is not deleted."""
        living = set(self.living("true"))
        page = client.ask("GET", f"/v1/jobs?limit={PAGE}&q=labels.run:*").body
        found = {job["id"] for job in page["items"]}
        if page["total"] != len(living) or not found <= living or (page["total"] <= PAGE and found != living):
            yield f"a search shows {page['total']} jobs, {sorted(found ^ living)[:3]} wrongly; {len(living)} are not deleted"
        for request in self.load.sample():
            status = client.ask("GET", f"/v1/jobs/{request.job_id}").status
            if status != (200 if request.job_id in living else 404):
                yield f"job {request.name} is answered {status}"
        listed = client.ask("GET", f"/v1/workspaces?limit={PAGE}&require_fresh=true").body["items"]
        yield from (f"workspace {one['name']} is listed and was deleted" for one in listed)

    def left_behind(self):
        """On the servers, and of their room."""
        units = [path.name for server in self.place.glob("local-*") for path in (server / "units").glob("*")]
        rows = stack.sql(f"SELECT id FROM {self.cluster.schema}.reservation WHERE NOT tombstone")
        return [f"unit {unit} is left" for unit in units] + [f"reservation {one} is left" for one, in rows]

    def report(self):
        lives = self.lives("job").values()
        states = [run_checks.last_living(life)["state"] for life in lives]
        taken_over = sum(run_checks.attempts_begun(life) > 1 for life in lives)
        return (f"{len(self.load.requests)} jobs to run, {states.count('succeeded')} succeeded, {states.count('canceled')} "
                f"canceled by deletes, {taken_over} took more than one attempt, {len(self.notes())} notes of commands")

    def abandon(self):
        """Whatever became of the test, nothing of it goes on."""
        if self.load is not None:
            self.load.ending.set()
            self.history.close()
        self.cluster.abandon()
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.readlink(process / "cwd").startswith(f"{self.place}/"):
                    os.kill(int(process.name), signal.SIGKILL)
        shutil.copy(self.ran, self.cluster.folder)
        shutil.rmtree(self.place, ignore_errors=True)
        self.cluster.drop()
