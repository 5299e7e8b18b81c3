"""deploy/k8s on a real Kubernetes: three a4cd as a Deployment behind its Service, on PostgreSQL with two standbys, Kafka,
Elasticsearch and three Docker servers behind SSH.

    dev/test --part long-kubernetes      or, once its servers are up and Kubernetes is built:

    eval "$(dev/stack/stack env)"
    A4C_TEST_BIN=build/dev/bin python3 -B -m unittest -v tests.kubernetes.kubernetes_test
"""
import contextlib
import json
import os
import pathlib
import re
import secrets
import subprocess
import tempfile
import time
import unittest

from tests.cluster import checks, stack
from tests.cluster.client import CommandLine
from tests.cluster.cluster import ADMIN, wait_until
from tests.cluster.history import History, operations_of
from tests.cluster.instance import SANITIZER_WORDS, binary
from tests.cluster.load import Load
from tests.kubernetes.node import Node


def setUpModule():
    stack.need("A4C_TEST_BIN", "A4C_TEST_POSTGRES_DSN", "A4C_TEST_KAFKA_ALSO_BROKERS", "A4C_TEST_ELASTICSEARCH_URLS",
               "A4C_TEST_BAREMETAL_HOSTS")


def password_of(user):
    lines = pathlib.Path(os.environ["PGPASSFILE"]).read_text().splitlines()
    return next(line.split(":")[4] for line in lines if line.split(":")[3] == user)


def ports_in(text):
    return [int(port) for port in re.findall(r":(\d+)", text)]


class Kubernetes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(os.environ.get("A4C_TEST_WORK") or tempfile.mkdtemp(prefix="a4c-kubernetes-"))
        cls.folder.mkdir(parents=True, exist_ok=True)
        cls.run_name = "run" + secrets.token_hex(4)
        cls.schema = f"a4c_{cls.run_name}"
        cls.brokers = os.environ["A4C_TEST_KAFKA_ALSO_BROKERS"]
        dsn = os.environ["A4C_TEST_POSTGRES_DSN"]
        cls.store_ports = [int(port) for port in re.search(r"port=([\d,]+)", dsn)[1].split(",")]
        cls.search_ports = ports_in(os.environ["A4C_TEST_ELASTICSEARCH_URLS"])
        cls.node = Node(cls.folder)
        cls.addClassCleanup(cls.node.stop)
        cls.start()
        cls.a4c = CommandLine(f"http://{cls.service}", cls.key)

    @classmethod
    def start(cls):
        image = cls.folder / "a4cd.tar"
        build = pathlib.Path(os.environ["A4C_TEST_BIN"]).resolve().parent
        subprocess.run([stack.ROOT / "deploy/docker/image", image, build], check=True, timeout=300)
        taken = cls.node.start(image)
        image.unlink()
        cls.node.forward(cls.store_ports + cls.search_ports + ports_in(cls.brokers))
        stack.sql(f"CREATE ROLE {cls.schema} LOGIN PASSWORD '{cls.run_name}'", ADMIN)
        cls.addClassCleanup(stack.sql, f"DROP ROLE IF EXISTS {cls.schema}", ADMIN)
        cls.addClassCleanup(stack.sql, f"DROP SCHEMA IF EXISTS {cls.schema} CASCADE")
        cls.key = cls.make_key()
        begun = time.monotonic()
        cls.deploy()
        taken["three a4cd"] = time.monotonic() - begun
        print(", ".join(f"{name} {seconds:.1f} s" for name, seconds in taken.items()), flush=True)

    @classmethod
    def tearDownClass(cls):
        reports = []
        for pod in cls.pods():
            name = pod["metadata"]["name"]
            log = cls.node.kubectl("logs", "-c", "a4cd", name, check=False)
            (cls.folder / f"{name}.log").write_text(log)
            reports += [line for line in log.splitlines() if any(word in line for word in SANITIZER_WORDS)]
        if reports:
            raise AssertionError("sanitizers complained: " + "; ".join(reports))

    @classmethod
    def store(cls, address, password, owner_password):
        hosts = ",".join([address] * len(cls.store_ports))
        dsn = (f"host={hosts} port={','.join(map(str, cls.store_ports))} dbname=a4c "
               "target_session_attrs=read-write connect_timeout=2 ")
        return {"plugin": "store-postgres",
                "config": {"dsn": dsn + f"user={cls.schema} password={password}", "row_security": True,
                           "background_dsn": dsn + f"user=a4c password={owner_password}", "schema": cls.schema}}

    @classmethod
    def config(cls, address):
        """What configmap.yaml says, with this run's servers as they are seen from there."""
        return {"api": {"listen": "0.0.0.0:7070", "rate_per_s": 0},
                "store": cls.store(address, "${POSTGRES_PASSWORD}", "${POSTGRES_OWNER_PASSWORD}"),
                "bus": {"plugin": "bus-kafka", "config": {"brokers": cls.brokers}},
                "search": {"plugin": "search-elastic",
                           "config": {"urls": [f"http://{address}:{port}" for port in cls.search_ports],
                                      "index_prefix": f"a4c_{cls.run_name}_"}},
                "hosts": {"plugin": "host-baremetal",
                          "config": {"cluster": cls.run_name, "servers_file": "/etc/a4cd/servers.json"}},
                "drain": {"not_ready": "5s", "timeout": "25s"}}

    @classmethod
    def make_key(cls):
        """The first key, made before there is any instance."""
        config, key = cls.folder / "bootstrap.yaml", cls.folder / f"key-{cls.run_name}"
        only_store = {"store": cls.store("127.0.0.1", cls.run_name, password_of("a4c")), "hosts": {"plugin": "none"},
                      "search": {"plugin": "none"}}
        config.write_text(json.dumps(only_store))
        done = subprocess.run([binary("a4cd"), "--config", config, "bootstrap-key", "--file", key], text=True,
                              capture_output=True, check=False, timeout=120)
        if done.returncode != 0:
            raise RuntimeError(f"no first key: {done.stderr}")
        return key.read_text().strip()

    @classmethod
    def deploy(cls):
        """The project's own manifests; only the addresses and secrets are the test's."""
        manifests = stack.ROOT / "deploy/k8s"
        cls.node.inside("kubectl", "create", "namespace", "a4c")
        cls.node.kubectl("apply", "-f", "-", stdin=json.dumps({"kind": "List", "apiVersion": "v1", "items": cls.settings()}))
        for name in ("service", "poddisruptionbudget", "deployment"):
            cls.node.kubectl("apply", "-f", manifests / f"{name}.yaml")
        cls.wait_rollout()
        if any(cls.restarts().values()):
            raise RuntimeError(f"three that start at once had to be restarted: {cls.restarts()}")
        cls.service = cls.node.get("service", "a4cd")["spec"]["clusterIP"] + ":80"

    @classmethod
    def settings(cls):
        servers = [{**server, "private_key_path": "/run/a4cd/id_ed25519"} for server in cls.node.servers]
        key = pathlib.Path(cls.node.servers[0]["private_key_path"]).read_text()
        return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a4cd"},
                 "data": {"a4cd.yaml": json.dumps(cls.config(cls.node.bridge)),
                          "servers.json": json.dumps({"servers": servers})}},
                {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a4cd"},
                 "stringData": {"POSTGRES_PASSWORD": cls.run_name, "POSTGRES_OWNER_PASSWORD": password_of("a4c"),
                                "KAFKA_PASSWORD": "none", "ELASTICSEARCH_PASSWORD": "none", "id_ed25519": key}}]

    @classmethod
    def wait_rollout(cls):
        done = cls.node.inside("kubectl", "-n", "a4c", "rollout", "status", "deployment/a4cd", "--timeout", "280s",
                               check=False, timeout_s=300)
        if done.returncode != 0:
            logs = cls.node.kubectl("logs", "-c", "a4cd", "-l", "app.kubernetes.io/name=a4cd", "--tail", "20", check=False)
            raise RuntimeError(f"{done.stdout}{done.stderr}{cls.node.kubectl('describe', 'pods')[-3000:]}{logs}")

    @classmethod
    def pods(cls):
        return cls.node.get("pods", "-l", "app.kubernetes.io/name=a4cd")["items"]

    @classmethod
    def restarts(cls):
        return {pod["metadata"]["name"]: pod["status"]["containerStatuses"][0]["restartCount"] for pod in cls.pods()}

    def ready_pods(self):
        """Those to which the Service sends requests."""
        pieces = self.node.get("endpointslices", "-l", "kubernetes.io/service-name=a4cd")["items"]
        endpoints = [endpoint for piece in pieces for endpoint in piece["endpoints"] or []]
        return {endpoint["targetRef"]["name"] for endpoint in endpoints if endpoint["conditions"].get("ready")}

    def wait_for_pods(self, count):
        """Exactly so many, all ready, none still ending."""
        wait_until(f"{count} pods", lambda: len(self.pods()) == count == len(self.ready_pods()), 240)

    @contextlib.contextmanager
    def load(self, name):
        """Creates and reads through the Service meanwhile (what is retried would be due, and changed by workers); at the end
        nothing that was acknowledged is lost or there twice. Gives a list, which holds the history then."""
        history, lines = History(self.folder / f"{name}-{self.run_name}.jsonl"), []
        load = Load([self.service], self.key, history, seed=name, clients=4, changes=0, pause_s=0.02).start()
        wait_until("the first operations", lambda: history.operations > 50, 120)
        try:
            yield lines
            seen = history.operations
            wait_until("operations after it", lambda: history.operations > seen + 50, 120)
        finally:
            load.stop()
            lines += history.lines()
            history.close()
        stored = {record: revs for record, revs in checks.stored_revs(self.schema).items() if record.startswith(f"{name}-")}
        self.assertEqual(checks.faults_of(lines, stored), [])
        unknowns = [line for line in lines if line["type"] == "unknown"]
        print(f"{name}: {len(operations_of(lines))} operations, {len(unknowns)} sent again", flush=True)

    def assert_none_failed(self, lines):
        self.assertEqual([line for line in lines if line["type"] == "unknown"], [])

    def test_a_workspace_lives_on_a_docker_server(self):
        wait_until("all servers answer", lambda: sum(host["reachable"] for host in self.a4c.json("host", "list")) == 3, 120)
        self.a4c.run("workspace", "create", "life", "--image", "busybox:local", "--disk", "20MiB", "--memory", "64MiB",
                     "--wait", "--", "sh", "-c", "echo hello from a pod; exec sleep 600")
        wait_until("its log", lambda: "hello from a pod" in self.a4c.run("workspace", "logs", "life"), 60)
        self.a4c.run("workspace", "delete", "life", "--wait")
        # The index follows: it may show the job as it was before.
        deleted = "type:workspace.delete and state:succeeded"
        wait_until("its job to be found", lambda: len(self.a4c.json("job", "list", "-q", deleted)) == 1, 60)

    def test_a_killed_process_is_restarted_and_a_killed_pod_replaced_and_nothing_acknowledged_is_lost(self):
        first, second, _ = self.pods()
        with self.load("kill"):
            self.node.kill_process(first)
            wait_until("its restart", lambda: self.restarts().get(first["metadata"]["name"]) == 1, 120)
            self.wait_for_pods(3)
            self.node.kubectl("delete", "pod", second["metadata"]["name"], "--grace-period=0", "--force")
            self.wait_for_pods(3)
        self.assertNotIn(second["metadata"]["name"], [pod["metadata"]["name"] for pod in self.pods()])

    def test_a_rolling_restart_drains_each_pod_and_fails_no_request(self):
        before = {pod["metadata"]["name"] for pod in self.pods()}
        old = sorted(before)[0]
        log = self.folder / f"drained-{self.run_name}.log"
        with log.open("w") as file, self.load("restart") as lines:
            follower = subprocess.Popen(self.node.command("kubectl", "-n", "a4c", "logs", "-f", "-c", "a4cd", old),
                                        stdout=file, stderr=subprocess.DEVNULL)
            self.addCleanup(follower.wait)
            self.addCleanup(follower.kill)
            self.node.kubectl("rollout", "restart", "deployment/a4cd")
            self.wait_rollout()
            self.wait_for_pods(3)
        follower.wait(60)
        self.assertFalse(before & {pod["metadata"]["name"] for pod in self.pods()})
        self.assert_none_failed(lines)
        self.assertIn('"drained"', log.read_text())

    def test_fewer_and_more_pods_fail_no_request(self):
        with self.load("scale") as lines:
            for count in (2, 3):
                self.node.kubectl("scale", "deployment/a4cd", f"--replicas={count}")
                self.wait_for_pods(count)
        self.assert_none_failed(lines)

    def test_a_pod_is_ready_only_while_its_store_answers_and_is_not_restarted_for_it(self):
        pod = self.pods()[0]
        name, address, restarts = pod["metadata"]["name"], pod["status"]["podIP"], self.restarts()
        with self.load("store"):
            self.node.cut_off(address, self.store_ports)
            try:
                wait_until("the pod not to be ready", lambda: name not in self.ready_pods(), 120)
                self.assertEqual(len(self.ready_pods()), 2)
            finally:
                self.node.cut_off(address, self.store_ports, heal=True)
            self.wait_for_pods(3)
        self.assertEqual(self.restarts(), restarts)

    def test_the_disruption_budget_lets_one_pod_go_at_a_time(self):
        wait_until("the budget", lambda: self.node.get("pdb", "a4cd")["status"].get("disruptionsAllowed") == 1, 120)
        first, second, _ = (pod["metadata"]["name"] for pod in self.pods())
        self.assertEqual(self.evict(first).returncode, 0)
        refused = self.evict(second)
        self.assertIn("disruption budget", refused.stderr)
        self.wait_for_pods(3)

    def evict(self, pod):
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": "a4c"}}
        return self.node.inside("kubectl", "create", "--raw", f"/api/v1/namespaces/a4c/pods/{pod}/eviction", "-f", "-",
                                stdin=json.dumps(eviction), check=False)


if __name__ == "__main__":
    unittest.main()
