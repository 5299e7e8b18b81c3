"""Seeded load: clients that create, cancel, retry and read jobs, each write with an Idempotency-Key of its own.

The jobs are not due for a day, so that nobody but the clients changes them: revs are odd while a job is pending and
even while it is canceled, and a record's whole history is what the clients did. (A job that was retried is due: where
there are workers, ask for no changes.)
"""
import random
import threading
import time

from tests.cluster.client import BrokenConnection, Client

RETRY_STATUS = (429, 500, 502, 503, 504)
REFUSED_STATUS = (409, 412)


class Record:
    def __init__(self, name, job_id, rev):
        self.name, self.job_id, self.rev = name, job_id, rev


class Load:
    """Runs until stop(); then every operation that was begun is brought to a definite end.

    `addresses` is a list, which may change meanwhile."""

    def __init__(self, addresses, key, history, *, seed, clients=6, changes=0.3, pause_s=0.0,
                 resolve_s=120):
        self.addresses, self.key, self.history, self.seed = addresses, key, history, seed
        self.changes, self.pause_s, self.resolve_s = changes, pause_s, resolve_s
        self.records, self.lock = [], threading.Lock()
        self.ending, self.errors = threading.Event(), []
        self.threads = [threading.Thread(target=self.guarded, args=(number,)) for number in range(clients)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()
        if self.errors:
            raise AssertionError(f"{len(self.errors)} clients gave up: {self.errors[0]}")

    def new_client(self, number):
        return LoadClient(self, number)

    def guarded(self, number):
        client = self.new_client(number)
        try:
            client.run()
        except Exception as error:  # pylint: disable=broad-except
            self.errors.append(f"client {number}: {error!r}")
        finally:
            client.close()

    def add(self, record):
        with self.lock:
            self.records.append(record)

    def some(self, dice):
        """One of the last records, so that clients meet."""
        with self.lock:
            return dice.choice(self.records[-40:]) if self.records else None


class LoadClient:
    def __init__(self, load, number):
        self.load, self.number, self.made = load, number, 0
        self.dice = random.Random(f"{load.seed}/{number}")
        self.clients = {}  # by address

    def run(self):
        while not self.load.ending.is_set():
            record, draw = self.load.some(self.dice), self.dice.random()
            if record is None or draw < 0.45:
                self.create()
            elif draw < 0.45 + self.load.changes:
                self.change(record)
            else:
                self.read(record)
            time.sleep(self.load.pause_s)

    def close(self):
        for client in self.clients.values():
            client.close()

    def create(self):
        self.made += 1
        name = f"{self.load.seed}-{self.number}-{self.made}"
        body = {"type": "image.build", "title": f"load {name}", "delay": "24h", "labels": {"record": name},
                "payload": {"tag": name, "context": "eA=="}}
        op = self.load.history.invoke(self.number, "create", name)
        answer = self.send(op, "POST", "/v1/jobs", body, {"Idempotency-Key": f"create {name}"})
        if answer.status != 201:
            raise RuntimeError(f"a create was answered {answer.status}: {answer.body}")
        self.load.history.note(op, "ok", self.number, rev=answer.body["rev"], id=answer.body["id"])
        self.load.add(Record(name, answer.body["id"], answer.body["rev"]))

    def change(self, record):
        """Cancels what is pending and retries what is canceled, of the version that was seen last."""
        rev = record.rev
        function = "cancel" if rev % 2 == 1 else "retry"
        op = self.load.history.invoke(self.number, function, record.name, rev=rev)
        answer = self.send(op, "POST", f"/v1/jobs/{record.job_id}:{function}", None,
                           {"Idempotency-Key": f"{function} {record.name} {op}", "If-Match": f'"{rev}"'})
        if answer.status in REFUSED_STATUS:
            self.load.history.note(op, "fail", self.number, why=answer.body["type"])
            self.read(record)
        elif answer.status == 200:
            self.load.history.note(op, "ok", self.number, rev=answer.body["rev"])
            record.rev = answer.body["rev"]
        else:
            raise RuntimeError(f"a {function} was answered {answer.status}: {answer.body}")

    def read(self, record):
        op = self.load.history.invoke(self.number, "get", record.name)
        answer = self.send(op, "GET", f"/v1/jobs/{record.job_id}", None, {})
        rev = answer.body["rev"] if answer.status == 200 else 0
        self.load.history.note(op, "ok", self.number, rev=rev)
        if rev:
            record.rev = rev

    def client(self):
        address = self.dice.choice(self.load.addresses)
        return self.clients.setdefault(address, Client(address, self.load.key))

    def send(self, op, method, path, body, headers):
        """Until there is a definite answer: the same request, the same key, any instance."""
        end = None
        while True:
            try:
                answer = self.client().ask(method, path, body, headers)
            except BrokenConnection as error:
                why = str(error)
            else:
                if is_definite(answer):
                    return answer
                why = f"{answer.status} {answer.body}"
            self.load.history.note(op, "unknown", self.number, why=why)
            if self.load.ending.is_set():
                end = end or time.monotonic() + self.load.resolve_s
                if time.monotonic() > end:
                    raise RuntimeError(f"operation {op} has no definite outcome: {why}")
            time.sleep(0.05 + 0.1 * self.dice.random())


def is_definite(answer):
    """A key that another attempt still holds says nothing yet; a state or version that does not match does."""
    if answer.status == 409:
        return answer.body["type"] != "urn:a4c:problem:idempotency-in-progress"
    return answer.status not in RETRY_STATUS
