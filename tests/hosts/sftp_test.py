"""A file of 1 GB by stock sftp into a workspace and back; its a4cd is killed on the way there and on the way back.

    eval "$(dev/stack/stack env)"
    A4C_TEST_SFTP_MB=1000 A4C_TEST_BIN=build/dev/bin python3 -B -m unittest -v tests.hosts.sftp_test

Its workspace takes 1.25 times as much of the largest server's disk (A4C_STACK_DISK_MB of dev/stack).
"""
import hashlib
import os
import re
import shutil
import subprocess
import time
import unittest

from tests.cluster import stack
from tests.cluster.client import CommandLine
from tests.cluster.cluster import wait_until
from tests.hosts.case import Case

MB = 1_000_000
SFTP_SERVER = "/usr/lib/openssh/sftp-server"
LIMIT_S = 900  # of one way


def setUpModule():
    stack.need("A4C_TEST_BIN", "A4C_TEST_POSTGRES_DSN", "A4C_TEST_BAREMETAL_HOSTS", "A4C_TEST_BAREMETAL_SOCKETS")


class Sftp(Case):
    def setUp(self):
        self.bytes = int(os.environ.get("A4C_TEST_SFTP_MB") or 1000) * MB
        self.make_cluster(3)  # as many as the gateway leads to
        self.cluster.start()
        self.folder = self.cluster.folder / "files"
        self.folder.mkdir()
        self.addCleanup(shutil.rmtree, self.folder)
        self.gateway = self.cluster.start_gateway()
        hosts = self.wait_for_servers()
        self.engine = max(self.engines, key=lambda engine: hosts[engine.host]["disk_total_bytes"])
        self.sha256 = self.make_file(self.folder / "data")
        self.unit = self.make_workspace()
        self.config = self.folder / "ssh_config"
        self.config.write_text(self.command_line(0).run("config", "ssh", "--print"))

    def make_file(self, path):
        digest = hashlib.sha256()
        with path.open("wb") as file:
            for begin in range(0, self.bytes, MB):
                piece = os.urandom(min(MB, self.bytes - begin))
                digest.update(piece)
                file.write(piece)
        return digest.hexdigest()

    def make_workspace(self):
        """One whose image has this machine's sftp-server, and what that is linked with."""
        image = self.folder / "image"
        linked = subprocess.run(["ldd", SFTP_SERVER], text=True, capture_output=True, check=True).stdout
        for file in [SFTP_SERVER, *re.findall(r"/\S+", linked)]:
            copy = image / "root" / file.lstrip("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
        (image / "Dockerfile").write_text("FROM busybox:local\nCOPY root /\n")
        tag, server = f"a4c-test/{self.cluster.run}:sftp", ("--host", self.engine.host)
        a4c = self.command_line(0)
        a4c.run("image", "build", "-t", tag, *server, image)
        a4c.run("workspace", "create", "files", "--wait", *server, "--image", tag, "--disk", str(self.bytes * 5 // 4),
                "--memory", "64MiB", "--", "sleep", "36000")
        return "ws-" + self.a4c(0, "workspace", "get", "files")["id"]

    def test_a_file_of_a_gigabyte_arrives_whole_also_if_its_instance_is_killed(self):
        first = self.cluster.instances[0]
        there, here = f"put {self.folder}/data /workspace/data", f"get /workspace/data {self.folder}/back"
        self.assert_breaks(first, there, self.bytes_there)
        first.start()
        first.wait_ready()
        resumed = self.bytes_there()
        took_s = self.transfer(first.address, f"re{there}")
        self.assertEqual(self.engine.docker("exec", self.unit, "sha256sum", "/workspace/data").split()[0], self.sha256)
        self.tell("put", resumed, took_s)

        self.assert_breaks(first, here, self.bytes_here)
        resumed = self.bytes_here()
        took_s = self.transfer(self.gateway, f"re{here}")
        with (self.folder / "back").open("rb") as file:
            self.assertEqual(hashlib.file_digest(file, "sha256").hexdigest(), self.sha256)
        self.tell("get", resumed, took_s)
        first.start()
        first.wait_ready()
        self.command_line(0).run("workspace", "delete", "files", "--wait")
        self.cluster.stop()

    def sftp(self, address, command):
        batch = self.folder / "batch"
        batch.write_text(command + "\n")
        environment = CommandLine(f"http://{address}", self.cluster.key).environment
        return subprocess.Popen(["sftp", "-F", self.config, "-b", batch, "files.a4c"], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)

    def transfer(self, address, command):
        """To its end; how long it took."""
        begun = time.monotonic()
        with self.sftp(address, command) as client:
            said = client.communicate(timeout=LIMIT_S)[0]
        self.assertEqual(client.returncode, 0, said)
        return time.monotonic() - begun

    def assert_breaks(self, instance, command, arrived):
        """The instance is killed when a third has arrived: sftp fails, and says why."""
        with self.sftp(instance.address, command) as client:
            self.addCleanup(client.kill)
            wait_until("a third of it", lambda: arrived() > self.bytes // 3, LIMIT_S)
            instance.kill()
            killed = time.monotonic()
            said = client.communicate(timeout=120)[0]
        print(f"{command.split()[0]}: its a4cd was killed, and sftp ended with {client.returncode} after "
              f"{time.monotonic() - killed:.1f} s: {said.strip().splitlines()[-3:]}", flush=True)
        self.assertNotEqual(client.returncode, 0)
        self.assertIn("the connection to the workspace was lost", said)
        self.assertLess(arrived(), self.bytes)

    def bytes_there(self):
        return int(self.engine.docker("exec", self.unit, "sh", "-c", "stat -c %s /workspace/data 2>/dev/null || echo 0"))

    def bytes_here(self):
        back = self.folder / "back"
        return back.stat().st_size if back.exists() else 0

    def tell(self, way, resumed, took_s):
        print(f"{way} of {self.bytes // MB} MB: {resumed // MB} MB had arrived, the rest came at "
              f"{(self.bytes - resumed) / MB / took_s:.0f} MB/s, the same by SHA-256", flush=True)


if __name__ == "__main__":
    unittest.main()
