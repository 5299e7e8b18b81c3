"""Seeded load of jobs that run: clients that create, start, stop, snapshot and delete workspaces of their own, and build
images; each write has an Idempotency-Key of its own and is sent until there is a definite answer (tests/cluster/load.py)."""
import base64
import dataclasses
import io
import tarfile
import time

from tests.cluster.client import BrokenConnection
from tests.cluster.load import Load, LoadClient

MIB = 1 << 20
DISK, MEMORY = 24 * MIB, 16 * MIB  # of a workspace; a snapshot has the disk of its workspace
WORKSPACES_MAX = 4  # of a client that live
SNAPSHOTS_MAX = 2  # of a client
UNFINISHED_MAX = 3  # jobs that a client has begun
# name -> how often it is drawn
STEPS = {"create": 4, "stop": 2, "start": 3, "delete": 2, "snapshot": 2, "build": 1}
REFUSED = (404, 409, 412)


@dataclasses.dataclass
class Workspace:
    """What its one client was told of it last."""
    name: str
    id: str
    desired: str = "running"


class WorkspaceLoad(Load):
    """Its `records` are all workspaces that were made."""

    def new_client(self, number):
        return WorkspaceClient(self, number)


class WorkspaceClient(LoadClient):
    """What it makes nobody else touches."""

    def __init__(self, load, number):
        super().__init__(load, number)
        self.asked, self.unfinished, self.snapshots = 0, [], []

    def run(self):
        while not self.load.ending.is_set():
            self.forget_ended()
            if len(self.unfinished) < UNFINISHED_MAX:
                getattr(self, self.dice.choices(list(STEPS), list(STEPS.values()))[0])()
            time.sleep(self.dice.uniform(0.2, 0.8))

    def forget_ended(self):
        """Asks for each once; who cannot be asked now has not ended."""
        self.unfinished = [job for job in self.unfinished if not self.has_ended(job)]

    def has_ended(self, job):
        try:
            answer = self.client().ask("GET", f"/v1/jobs/{job}")
        except BrokenConnection:
            return False
        return answer.status == 200 and answer.body["state"] not in ("pending", "running")

    def write(self, function, record, method, path, body=None):
        """The answer's body if it was done, None if it was refused."""
        self.asked += 1
        op = self.load.history.invoke(self.number, function, record)
        key = {"Idempotency-Key": f"{self.load.seed} {self.number} {self.asked}"}
        answer = self.send(op, method, path, body, key)
        if answer.status in REFUSED:
            self.load.history.note(op, "fail", self.number, why=answer.body)
            return None
        if answer.status not in (201, 202):
            raise RuntimeError(f"a {function} was answered {answer.status}: {answer.body}")
        self.load.history.note(op, "ok", self.number, job=answer.body["id"])
        self.unfinished.append(answer.body["id"])
        return answer.body

    def mine(self):
        """Those that live."""
        return [one for one in self.load.records
                if one.name.startswith(f"{self.prefix}-") and one.desired != "deleted"]

    @property
    def prefix(self):
        return f"client-{self.number}"

    def create(self):
        if len(self.mine()) >= WORKSPACES_MAX:
            self.start()
            return
        self.made += 1
        name = f"{self.prefix}-{self.made}"
        body = {"name": name, "image": "busybox:local", "disk": DISK, "memory": MEMORY, "cpu_millis": 10,
                "restart": "always", "command": ["sleep", "36000"]}
        job = self.write("create", name, "POST", "/v1/workspaces", body)
        if job is None:
            raise RuntimeError(f"the create of {name} was refused")
        self.load.add(Workspace(name, job["workspace"]))

    def step(self, function, desired, method="POST", suffix=""):
        if not (mine := self.mine()):
            return
        one = self.dice.choice(mine)
        if self.write(function, one.name, method, f"/v1/workspaces/{one.id}{suffix}"):
            one.desired = desired

    def start(self):
        self.step("start", "running", suffix=":start")

    def stop(self):
        self.step("stop", "stopped", suffix=":stop")

    def delete(self):
        self.step("delete", "deleted", "DELETE")

    def snapshot(self):
        if len(self.snapshots) >= SNAPSHOTS_MAX:
            one = self.snapshots.pop(0)
            self.write("delete-snapshot", one, "DELETE", f"/v1/snapshots/{one}")
        elif mine := self.mine():
            one = self.dice.choice(mine)
            job = self.write("snapshot", one.name, "POST", f"/v1/workspaces/{one.id}:snapshot", {})
            if job:
                self.snapshots.append(job["payload"]["snapshot"])

    def build(self):
        self.made += 1
        tag = f"load/{self.prefix}:{self.made}"
        payload = {"tag": tag, "context": context(tag), "disk": DISK}
        if self.write("build", tag, "POST", "/v1/jobs", {"type": "image.build", "payload": payload}) is None:
            raise RuntimeError(f"the build of {tag} was refused")


def context(text):
    """A tar archive of an image that has this text, and two layers of its own."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in (("Dockerfile", "FROM busybox:local\nCOPY text /text\nRUN cp /text /copy\n"), ("text", text)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content.encode()))
    return base64.b64encode(archive.getvalue()).decode()
