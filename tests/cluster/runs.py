"""Seeded load of jobs that run: workspaces are made, changed and deleted, and commands run in them, each with an
Idempotency-Key of its own. What a command does it notes in a file outside of its workspace, so that every run of it is
there to count, also one of which a4cd knows nothing any more.

In the history the function is the type of the job, and the record its name (label `run`).
"""
import random
import time

from tests.cluster.load import Load, LoadClient

REFUSED_STATUS = (404, 409)  # of a workspace that is going, or has gone
ATTEMPTS_MAX = 100  # faults are not to use them up
WORKSPACES_MAX = 8
NOTE = 'echo "$RUN {what} $(date +%s%N)" >>"$RAN"'
COMMAND = f'{NOTE.format(what="begun")}; sleep "$TAKES"; {NOTE.format(what="ended")}'
PROCESS = f'{NOTE.format(what="begun")}; exec sleep 86400'


class Request:
    """A job that was acknowledged, as it was asked for."""

    def __init__(self, name, body, answer):
        self.name, self.body, self.job_id = name, body, answer["id"]
        self.workspace = answer["workspace"]


class Runs(Load):
    """`ran` is the file that commands write to."""

    def __init__(self, *arguments, ran, **options):
        super().__init__(*arguments, **options)
        self.ran, self.requests, self.living = ran, [], []

    def new_client(self, number):
        return RunClient(self, number)

    def delete_all(self):
        """After stop(): what still lives is deleted."""
        client = self.new_client(len(self.threads))
        for workspace in list(self.living):
            client.delete(workspace)
        client.close()

    def sample(self, count=100):
        """Of what was acknowledged."""
        return random.Random(self.seed).sample(self.requests, min(count, len(self.requests)))

    def asked_again(self):
        """Sends acknowledged requests again with their keys; what is answered otherwise than the first time."""
        client = self.new_client(len(self.threads) + 1)
        other = []
        for request in self.sample():
            answer = client.client().ask("POST", "/v1/jobs", request.body, {"Idempotency-Key": request.name})
            if (answer.status, answer.body.get("id")) != (201, request.job_id):
                other.append(f"{request.name} was job {request.job_id} and is answered {answer.status}: {answer.body}")
        client.close()
        return other

    def some_workspace(self, dice):
        with self.lock:
            return dice.choice(self.living) if self.living else None

    def forget(self, workspace):
        with self.lock:
            if workspace in self.living:
                self.living.remove(workspace)


class RunClient(LoadClient):
    def run(self):
        while not self.load.ending.is_set():
            workspace, draw = self.load.some_workspace(self.dice), self.dice.random()
            if workspace is None or (draw < 0.25 and len(self.load.living) < WORKSPACES_MAX):
                self.create()
            elif draw < 0.7:
                self.command(workspace)
            elif draw < 0.88:
                self.update(workspace)
            else:
                self.delete(workspace)
            time.sleep(self.load.pause_s * (0.5 + self.dice.random()))

    def create(self):
        name = self.next_name("w")
        environment = {"RUN": name, "RAN": str(self.load.ran)}
        payload = {"name": name, "disk": "1MiB", "memory": "0", "command": ["sh", "-c", PROCESS], "env": environment}
        made = self.ask("workspace.create", name, payload)
        with self.load.lock:
            self.load.living.append(made.workspace)

    def command(self, workspace):
        name = self.next_name("c")
        environment = {"RUN": name, "RAN": str(self.load.ran), "TAKES": f"{self.dice.uniform(0, 0.5):.2f}"}
        self.ask("command.run", name, {"workspace": workspace, "command": ["sh", "-c", COMMAND], "env": environment})

    def update(self, workspace):
        """Each with a label of its own, which is there for good."""
        name = self.next_name("u")
        self.ask("workspace.update", name, {"workspace": workspace, "labels": {"set": {name: "1"}}})

    def delete(self, workspace):
        self.ask("workspace.delete", self.next_name("d"), {"workspace": workspace})
        self.load.forget(workspace)

    def next_name(self, letter):
        self.made += 1
        return f"{letter}{self.number}-{self.made}"

    def ask(self, kind, name, payload):
        """The request that was acknowledged; nothing if it was refused."""
        op = self.load.history.invoke(self.number, kind, name)
        body = {"type": kind, "labels": {"run": name}, "attempts_max": ATTEMPTS_MAX, "payload": payload}
        answer = self.send(op, "POST", "/v1/jobs", body, {"Idempotency-Key": name})
        if answer.status in REFUSED_STATUS and kind != "workspace.create":
            self.load.history.note(op, "fail", self.number, why=answer.body["type"])
            return None
        if answer.status != 201:
            raise RuntimeError(f"{name}, a {kind}, was answered {answer.status}: {answer.body}")
        request = Request(name, body, answer.body)
        self.load.history.note(op, "ok", self.number, rev=answer.body["rev"], id=request.job_id, workspace=request.workspace)
        with self.load.lock:
            self.load.requests.append(request)
        return request
