"""A Kubernetes of one node, inside the first server of dev/stack/baremetal, and ways in and out of it.

The pods reach PostgreSQL, Kafka and the search engine, which listen on loopback alone, by way of a HAProxy on the
servers' bridge; the test reaches the Service by a route, and kube-proxy passes on from there."""
import json
import os
import pathlib
import subprocess
import time

from tests.cluster import stack

STATE = "/srv/k8s-stack"  # on the server's own disk


class Node:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.servers = json.loads(pathlib.Path(os.environ["A4C_TEST_BAREMETAL_HOSTS"]).read_text())["servers"]
        self.address = self.servers[0]["address"]
        self.bridge = self.address.rsplit(".", 1)[0] + ".1"
        slot = self.address.split(".")[2]
        self.services = f"10.96.{slot}.0/24"
        binaries = os.environ.get("A4C_STACK_K8S_BIN") or stack.state_folder() / "k8s-bin"
        self.environment = {"A4C_STACK_DIR": STATE, "A4C_STACK_K8S_BIN": str(binaries), "A4C_STACK_NODE_IP": self.address,
                            "A4C_STACK_POD_NET": f"10.79.{slot}.0/24", "A4C_STACK_SERVICE_NET": self.services,
                            "KUBECONFIG": f"{STATE}/k8s/kubeconfig"}
        self.forwarder = None

    def command(self, *words):
        """What runs these words in the server."""
        pairs = [f"{name}={value}" for name, value in self.environment.items()]
        return [stack.ROOT / "dev/stack/baremetal/fault", "enter", "1", "env", *pairs, *map(str, words)]

    def inside(self, *words, stdin=None, check=True, timeout_s=300):
        """Runs them there; the finished process."""
        done = subprocess.run(self.command(*words), input=stdin, text=True, capture_output=True, check=False, timeout=timeout_s)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, words))}: {done.stdout[-1500:]} {done.stderr[-1500:]}")
        return done

    def kubectl(self, *words, **options):
        return self.inside("kubectl", "--namespace", "a4c", *words, **options).stdout

    def get(self, *words):
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def start(self, image):
        """The control plane, the node, the image; seconds of each."""
        self.stop()  # of a run that was killed
        self.inside("iptables", "-P", "FORWARD", "ACCEPT")  # dockerd has forbidden it
        subprocess.run(["ip", "route", "replace", self.services, "via", self.address], check=True)
        taken = {}
        for name, words in (("control plane", ["start"]), ("node", ["node", "start"]), ("image", ["node", "import", image])):
            begun = time.monotonic()
            self.inside(stack.ROOT / "dev/stack/k8s" / words[0], *words[1:])
            taken[name] = time.monotonic() - begun
        return taken

    def stop(self):
        self.inside(stack.ROOT / "dev/stack/k8s/node", "stop", check=False)
        self.inside(stack.ROOT / "dev/stack/k8s/stop", "--clean", check=False)
        subprocess.run(["ip", "route", "del", self.services], check=False, capture_output=True)
        self.stop_forwarding()

    def forward(self, ports):
        """The bridge's address passes on to the same ports of loopback."""
        config = self.folder / "forward.cfg"
        config.write_text("defaults\n  mode tcp\n  timeout connect 2s\n  timeout client 1h\n  timeout server 1h\n" + "".join(
            f"listen p{port}\n  bind {self.bridge}:{port}\n  server s 127.0.0.1:{port}\n" for port in ports))
        self.forwarder = subprocess.Popen(["haproxy", "-db", "-f", config], stdin=subprocess.DEVNULL,
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop_forwarding(self):
        if self.forwarder is not None:
            self.forwarder.kill()
            self.forwarder.wait()
        self.forwarder = None

    def cut_off(self, address, ports, *, heal=False):
        """What a pod sends to these ports gets lost, until it is healed."""
        self.inside("iptables", "-D" if heal else "-I", "FORWARD", "-s", address, "-p", "tcp", "-m", "multiport",
                    "--dports", ",".join(map(str, ports)), "-j", "DROP")

    def kill_process(self, pod):
        """kill -9 of the pod's a4cd."""
        container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
        self.inside("ctr", "--address", f"{STATE}/k8s/node/containerd.sock", "--namespace", "k8s.io",
                    "tasks", "kill", "--signal", "KILL", container)
