"""Several a4cd over one PostgreSQL and the Docker servers of dev/stack."""
import os
import tempfile
import unittest

from tests.cluster.client import CommandLine
from tests.cluster.cluster import Cluster, wait_until
from tests.hosts import engines


class Case(unittest.TestCase):
    def make_cluster(self, count, **options):
        """Not started yet. Whatever becomes of the test, nothing of it stays."""
        folder = os.environ.get("A4C_TEST_WORK") or tempfile.mkdtemp(prefix="a4c-hosts-")
        self.cluster = Cluster(folder, count, hosts="host-baremetal", one_database=True, **options)
        self.engines = engines.all_of(self.cluster.run)
        self.addCleanup(self.cluster.drop)
        for engine in self.engines:
            self.addCleanup(engine.clear)
        self.addCleanup(self.cluster.abandon)

    def set_hosts(self, **settings):
        """Of the section `hosts`, for the next start of all."""
        for instance in self.cluster.instances:
            instance.set_config(hosts={**instance.config["hosts"], **settings})

    def enrol_servers(self):
        """With a4c-host, as an operator does who has compared their fingerprints."""
        self.command_line(0).run("host", "add", "-f", os.environ["A4C_TEST_ENROL_FILE"])
        return self.wait_for_servers()

    def a4c(self, number, *words):
        """The command line, by way of that instance; what it says as JSON."""
        return self.command_line(number).json(*words)

    def command_line(self, number):
        return CommandLine(f"http://{self.cluster.addresses[number]}", self.cluster.key)

    def wait_for_servers(self):
        """The servers, once all of them answer."""
        return wait_until("all servers answer", self.answering_servers, 120)

    def answering_servers(self):
        hosts = self.a4c(0, "host", "list")
        all_answer = len(hosts) == len(self.engines) and all(host["reachable"] for host in hosts)
        return {host["id"]: host for host in hosts} if all_answer else None
