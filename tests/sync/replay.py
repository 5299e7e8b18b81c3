"""A trace through one a4cd: each task is a workspace that is created by batch submit and deleted when its time is over.

The servers are only pretended (host-memory); everything else is what the rung of the installation says.
"""
import json
import urllib.parse

from tests.cluster.client import Client, CommandLine
from tests.cluster.cluster import wait_until
from tests.cluster.instance import Instance

WAVE_TASKS = 400
PAGE = 500
WAVE_LIMIT_S = 600
# Servers are so much larger than in the trace: all tasks fit, wherever earlier ones went, so that all rungs end with the
# same jobs. What placement does when they do not fit is asked by trace_replay_bench.
LARGER = 4


def larger(server):
    return {name: value if name == "id" else LARGER * value for name, value in server.items()}


class Replay:
    """One rung: `sections` is its config but for what all rungs have."""

    def __init__(self, folder, trace, **sections):
        self.folder, self.trace = folder, trace
        folder.mkdir(parents=True, exist_ok=True)
        servers = folder / "servers.json"
        servers.write_text(json.dumps({"servers": [larger(server) for server in trace.servers]}))
        self.key_file = folder / "first-key"
        self.instance = Instance(1, folder, {
            "api": {"rate_per_s": 0, "bootstrap_key_file": str(self.key_file)},
            "hosts": {"plugin": "host-memory", "config": {"servers": ["spare"], "servers_file": str(servers)}},
            "work": {"workers": 16}, **sections})
        self.documents = []  # what a search has to find, in the end
        self.client = self.a4c = None

    def start(self):
        self.instance.start()
        self.instance.wait_ready()
        key = self.key_file.read_text().strip()
        self.client = Client(self.instance.address, key, timeout_s=120)
        self.a4c = CommandLine(f"http://{self.instance.address}", key)
        wait_until("all servers", lambda: len(self.get("/v1/hosts")["items"]) > len(self.trace.servers), 120)
        return self

    def stop(self):
        self.client.close()
        self.instance.stop()
        reports = self.instance.sanitizer_reports()
        if reports:
            raise AssertionError("sanitizers complained: " + "; ".join(reports))

    def run(self):
        """In waves: the next tasks in the order of the trace are placed, then those are deleted whose time is over."""
        waiting = list(self.trace.tasks)
        living = []
        while waiting:
            wave, waiting = waiting[:WAVE_TASKS], waiting[WAVE_TASKS:]
            self.submit([self.create(task) for task in wave])
            living += wave
            now_s = wave[-1].created_s
            self.submit([self.delete(task) for task in living if task.deleted_s <= now_s])
            living = [task for task in living if task.deleted_s > now_s]

    def create(self, task):
        return {"type": "workspace.create", "title": f"Run {task.name} with {task.cards} cards of {task.card}",
                "labels": task.labels(), "priority": {"LS": 7, "BE": 2}.get(task.qos, 5),
                "payload": {"name": task.name, "cpu_millis": task.cpu_millis, "memory": f"{task.memory_mib}MiB",
                            "disk": f"{task.memory_mib}MiB", "command": ["sleep", "86400"]}}

    def delete(self, task):
        return {"type": "workspace.delete", "title": f"Drop {task.name}", "labels": {"task": task.name},
                "priority": 5, "payload": {"workspace": task.name}}

    def submit(self, jobs):
        """Until a search finds all of them done."""
        if not jobs:
            return
        results = self.client.batch(jobs)
        refused = [result for result in results if result["status"] != 201]
        if refused or len(results) != len(jobs):
            raise AssertionError(f"{len(refused)} of {len(jobs)} jobs were refused: {refused[:1]}")
        members = ("type", "title", "labels", "priority")
        self.documents += [{"state": "succeeded", **{name: job[name] for name in members}} for job in jobs]
        wait_until("the wave", lambda: self.total("state:succeeded") == len(self.documents), WAVE_LIMIT_S)

    def prove(self):
        """Nothing is on its way, and the digests say that store and index are equal."""
        wait_until("an empty outbox", lambda: self.a4c.json("sync", "status")["outbox_rows"] == 0, 120)
        verified = self.verify()
        # The first may be one that a4cd had begun by itself while jobs were still ending.
        if not verified["drift"]:
            verified = self.verify()
        if verified["state"] != "succeeded" or verified["drift"] or verified["mismatched_buckets"]:
            raise AssertionError(f"the index is not the store: {verified}")
        return verified

    def verify(self):
        return json.loads(self.a4c.run("sync", "verify", "-o", "json"))

    def get(self, path):
        answer = self.client.ask("GET", path)
        if answer.status != 200:
            raise AssertionError(f"GET {path}: {answer.status} {answer.body}")
        return answer.body

    def page(self, query, **parameters):
        return self.get("/v1/jobs?" + urllib.parse.urlencode({"q": query, **parameters}))

    def total(self, query):
        return self.page(query, limit=1)["total"]

    def find(self, query, pages_max):
        """How many there are, and the titles on the first pages if they hold all."""
        page = self.page(query, limit=PAGE)
        total, titles = page["total"], []
        if total > pages_max * PAGE:
            return total, None
        while True:
            titles += [job["title"] for job in page["items"]]
            if "next" not in page:
                return total, sorted(titles)
            page = self.page(query, limit=PAGE, cursor=page["next"])
