"""The full picture, as a user meets it: `a4c` through the gateway to three a4cd on PostgreSQL with two standbys, Kafka,
Elasticsearch and three Docker servers behind SSH.

    eval "$(dev/stack/stack env)"
    A4C_TEST_BIN=build/dev/bin python3 -B -m unittest -v tests.picture.picture_test
"""
import contextlib
import os
import pathlib
import subprocess
import tempfile
import unittest

from tests.cluster import checks, stack
from tests.cluster.client import Client, CommandLine
from tests.cluster.cluster import Cluster, wait_until
from tests.cluster.history import History, longest_gap_s, operations_of
from tests.cluster.load import Load

PLENTY = 1_000_000  # requests in 10 s: no limit for the tests that are about something else
IMAGE = ("--image", "busybox:local", "--disk", "20MiB", "--memory", "64MiB")


def setUpModule():
    stack.need("A4C_TEST_BIN", "A4C_TEST_POSTGRES_DSN", "A4C_TEST_KAFKA_BROKERS", "A4C_TEST_ELASTICSEARCH_URLS",
               "A4C_TEST_BAREMETAL_HOSTS")


class Picture(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = os.environ.get("A4C_TEST_WORK") or tempfile.mkdtemp(prefix="a4c-picture-")
        cls.cluster = Cluster(folder, hosts="host-baremetal", work={"workers": 4})
        cls.addClassCleanup(cls.cluster.drop)
        cls.addClassCleanup(cls.cluster.abandon)
        cls.cluster.start()
        cls.gateway = cls.cluster.start_gateway(RATE_KEY=PLENTY, RATE_ADDRESS=PLENTY)
        cls.a4c = CommandLine(f"http://{cls.gateway}", cls.cluster.key)
        cls.servers = wait_until("all servers answer", cls.reachable_servers, 120)

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()

    @classmethod
    def reachable_servers(cls):
        hosts = cls.a4c.json("host", "list")
        return sorted(host["id"] for host in hosts) if len(hosts) == 3 and all(h["reachable"] for h in hosts) else None

    def create_workspace(self, name):
        """Made and started, with a line in its log; the workspace."""
        self.a4c.run("workspace", "create", name, *IMAGE, "--label", f"name={name}", "--wait", "--",
                     "sh", "-c", f"echo hello from {name}; exec sleep 600")
        return self.a4c.json("workspace", "get", name)

    def test_a_workspace_lives_on_a_docker_server_from_create_to_delete(self):
        name = "life-" + self.cluster.run
        workspace = self.create_workspace(name)
        self.assertEqual(workspace["actual"], "running")
        self.assertIn(workspace["host"], self.servers)
        wait_until("its log", lambda: f"hello from {name}" in self.a4c.run("workspace", "logs", name), 60)

        job = self.a4c.json("job", "create", "command.run", "--title", "Looking around", "--set", f"workspace={name}",
                            "--set", 'command=["sh","-c","echo I am $(hostname); exit 3"]')
        wait_until("the command's end", lambda: self.job(job["id"])["state"] not in ("pending", "running"), 120)
        self.assertIn("I am ", self.a4c.run("job", "logs", job["id"]))
        self.assertEqual(self.job(job["id"])["result"]["exit_code"], 3)

        self.a4c.run("workspace", "delete", name, "--wait")
        self.a4c.run("workspace", "get", name, exit_code=3)

    def job(self, job_id):
        return self.a4c.json("job", "get", job_id)

    def test_the_least_used_disk_gets_each_workspace(self):
        for number in range(3):
            name = f"spread-{number}-{self.cluster.run}"
            job = self.a4c.json("job", "create", "workspace.create", "--set", f"name={name}", "--set", "image=busybox:local",
                                "--set", "disk=100MiB", "--set", "memory=64MiB", "--set", 'command=["sleep","600"]')
            wait_until("a workspace", lambda j=job: self.job(j["id"])["state"] == "succeeded", 120)
            with self.client(self.gateway) as client:
                decided = client.ask("GET", f"/v1/placement:explain?job={job['id']}").body["recorded"]
            shares = {server["id"]: self.share_with(server, 100 << 20) for server in decided["servers"] if server["fits"]}
            self.assertEqual(sorted(shares), self.servers)
            self.assertEqual(shares[decided["server"]], min(shares.values()), shares)
            self.assertEqual(self.a4c.json("workspace", "get", name)["host"], decided["server"])
            self.a4c.run("workspace", "delete", name, "--wait")

    @staticmethod
    def share_with(server, more_bytes):
        return (server["disk_other_bytes"] + server["disk_committed_bytes"] + more_bytes) / server["disk_total_bytes"]

    def client(self, address, key=None):
        return contextlib.closing(Client(address, self.cluster.key if key is None else key))

    def test_a_job_is_found_by_a_filter_and_by_a_word_of_its_title(self):
        job = self.a4c.json("job", "create", "image.build", "--title", "Lighthouse keepers wanted", "--delay", "24h",
                            "--label", f"run={self.cluster.run}", "--set", "tag=lighthouse", "--set", "context=eA==")
        for query in (f"labels.run:{self.cluster.run} and state:pending and not type:command.run",
                      'lighthouse and labels.run:"' + self.cluster.run + '"', '"keepers wanted"'):
            found = wait_until(query, lambda q=query: self.a4c.json("job", "list", "-q", q), 60)
            self.assertEqual([one["id"] for one in found], [job["id"]], query)
        self.assertEqual(self.a4c.json("job", "list", "-q", "lighthouse and state:failed"), [])

    def test_another_instance_sees_what_one_wrote(self):
        first, *others = (Client(address, self.cluster.key) for address in self.cluster.addresses)
        for client in (first, *others):
            self.addCleanup(client.close)
        body = {"type": "image.build", "title": "Told to one", "delay": "24h", "payload": {"tag": "t", "context": "eA=="}}
        made = first.ask("POST", "/v1/jobs", body, {"Idempotency-Key": f"seen {self.cluster.run}"})
        self.assertEqual(made.status, 201, made.body)
        for other in others:
            self.assertEqual(other.ask("GET", f"/v1/jobs/{made.body['id']}").body["title"], "Told to one")
            # Of a token a search waits for; a busy machine may take longer than one wait.
            path = f"/v1/jobs?q=told&token={made.headers['A4C-Token']}"
            fresh = wait_until("a fresh answer", lambda o=other, p=path: self.fresh(o.ask("GET", p)), 120)
            self.assertIn(made.body["id"], [job["id"] for job in fresh["items"]])
            again = other.ask("POST", "/v1/jobs", body, {"Idempotency-Key": f"seen {self.cluster.run}"})
            self.assertEqual((again.body["id"], again.headers["Idempotent-Replayed"]), (made.body["id"], "true"))

    @staticmethod
    def fresh(answer):
        return answer.body if answer.status == 200 and answer.body["fresh"] else None

    def test_the_gateway_refuses_who_has_no_key(self):
        with self.client(self.gateway, "") as client:
            refused = client.ask("GET", "/v1/jobs")
        self.assertEqual((refused.status, refused.body["type"]), (401, "urn:a4c:problem:unauthenticated"))
        self.assertEqual(refused.body["detail"], "no API key in Authorization or X-API-Key")  # the gateway's words
        CommandLine(f"http://{self.gateway}", "").run("job", "list", exit_code=4)
        # One that has the form of a key passes the gateway, and a4cd refuses it.
        CommandLine(f"http://{self.gateway}", "a4c_" + "x" * 40).run("job", "list", exit_code=4)

    def test_the_gateway_limits_each_key_by_itself(self):
        other_key = self.a4c.json("key", "create", f"other-{self.cluster.run}", "--scope", "jobs:read")["key"]
        self.cluster.start_gateway(RATE_KEY=20, RATE_ADDRESS=PLENTY)
        try:
            with self.client(self.gateway) as one, self.client(self.gateway, other_key) as other:
                answers = [one.ask("GET", "/v1/jobs?limit=1") for _ in range(30)]
                other_answer = other.ask("GET", "/v1/jobs?limit=1")
            # More pass if the requests took longer than the window of 10 s.
            self.assertGreaterEqual(sum(answer.status == 200 for answer in answers), 20)
            refused = [answer for answer in answers if answer.status == 429]
            self.assertTrue(refused, "no request was refused")
            self.assertEqual(refused[0].body["type"], "urn:a4c:problem:rate-limited")
            self.assertIn("Retry-After", refused[0].headers)
            self.assertEqual(other_answer.status, 200)
        finally:
            self.cluster.start_gateway(RATE_KEY=PLENTY, RATE_ADDRESS=PLENTY)

    def test_no_keyed_request_fails_while_an_instance_is_killed(self):
        history = History(self.cluster.folder / "kill.jsonl")
        # Creates and reads alone: a job that is retried is due, and workers would change it.
        load = Load([self.gateway], self.cluster.key, history, seed="kill", changes=0).start()
        victim = self.cluster.instances[1]
        self.wait_operations(history, 100)
        victim.kill()
        self.wait_operations(history, history.operations + 200)
        victim.start()
        victim.wait_ready()
        self.wait_operations(history, history.operations + 100)
        load.stop()
        lines = history.lines()
        history.close()
        self.assertEqual([line for line in lines if line["type"] == "unknown"], [])
        stored = {name: revs for name, revs in checks.stored_revs(self.cluster.schema).items() if name.startswith("kill-")}
        self.assertEqual(checks.faults_of(lines, stored), [])
        index = f"{self.cluster.index_prefix}jobs"
        wait_until("the index to be the store", lambda: not checks.index_differs(self.cluster.schema, index), 175)
        gap = longest_gap_s(lines, 0, max(line["time_ns"] for line in lines))
        print(f"killed under load: {len(operations_of(lines))} operations, none failed, "
              f"at most {gap * 1000:.0f} ms without a write", flush=True)

    def test_stock_ssh_ends_with_its_instance_and_connects_again_to_what_it_wrote(self):
        name = "ssh-" + self.cluster.run
        self.create_workspace(name)
        victim = self.cluster.instances[2]
        config = self.cluster.folder / "ssh_config"
        config.write_text(self.a4c.run("config", "ssh", "--print"))
        ssh = ["ssh", "-F", config, f"{name}.a4c"]
        said = self.cluster.folder / "said"
        with said.open("w") as out:
            client = subprocess.Popen([*ssh, "echo kept >/workspace/kept && echo begun; exec sleep 600"], stdin=subprocess.DEVNULL, stdout=out,
                                      env=CommandLine(f"http://{victim.address}", self.cluster.key).environment)
        self.addCleanup(client.kill)
        wait_until("the command's begin", lambda: said.read_text() == "begun\n", 60)
        victim.kill()
        self.assertEqual(client.wait(timeout=120), 255)
        # By way of the gateway, while that instance is away.
        again = subprocess.run([*ssh, "cat /workspace/kept"], env=self.a4c.environment, text=True, capture_output=True, check=False, timeout=120)
        self.assertEqual((again.returncode, again.stdout), (0, "kept\n"), again.stderr)
        victim.start()
        victim.wait_ready()
        self.a4c.run("workspace", "delete", name, "--wait")

    @staticmethod
    def wait_operations(history, count):
        wait_until(f"{count} operations", lambda: history.operations >= count, 120)

    def test_the_image_of_deploy_runs_on_a_docker_server(self):
        archive = self.cluster.folder / "a4cd.tar"
        build = pathlib.Path(os.environ["A4C_TEST_BIN"]).resolve().parent
        subprocess.run([stack.ROOT / "deploy/docker/image", archive, build], check=True, timeout=180)
        with archive.open("rb") as file:
            stack.run("baremetal/fault", "enter", "1", "docker", "load", stdin=file)
        archive.unlink()
        enter = ("baremetal/fault", "enter", "1", "docker")
        said = stack.run(*enter, "run", "--rm", "--network=none", "a4c/a4cd:dev", "plugin", "list")
        stack.run(*enter, "rmi", "a4c/a4cd:dev")
        self.assertIn("store-postgres", said)

    def test_every_box_of_the_picture_is_in_use(self):
        status = self.a4c.json("status")
        self.assertEqual(status["backends"], {"store": "store-postgres", "bus": "bus-kafka", "search": "search-elastic",
                                              "hosts": "host-baremetal"})
        # A step that fails, or a standby that connects again, is only that.
        wait_until("all loops to be healthy", lambda: all(loop["healthy"] for loop in self.a4c.json("status")["loops"]), 60)
        wait_until("two standbys", lambda: stack.sql("SELECT count(*) FROM pg_stat_replication") == [["2"]], 60)


if __name__ == "__main__":
    unittest.main()
