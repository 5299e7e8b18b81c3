"""Several a4cd on the servers of dev/stack, with a schema and indices of the run's own, and the gateway before them."""
import os
import pathlib
import secrets
import time

from tests.cluster import stack
from tests.cluster.instance import Instance


ADMIN = "A4C_TEST_POSTGRES_ADMIN_DSN"


class Cluster:
    """Use as a context: at its end everything of it has been stopped, and has ended well.

    `servers` names the variable that says which file lists the Docker servers; none: they are to be enrolled. `one_database`: PostgreSQL holds the
    index too, and there is no bus. `sync_apart`: so many more instances do the sync, and the others do not. Other
    sections of the config are added to what is here."""

    def __init__(self, folder, count=3, hosts="none", durability="replicated", one_database=False,
                 servers="A4C_TEST_BAREMETAL_HOSTS", sync_apart=0, **sections):
        self.run = "run" + secrets.token_hex(4)
        self.folder = pathlib.Path(folder) / self.run
        self.schema, self.search_schema = f"a4c_{self.run}", f"a4c_{self.run}_search"
        self.index_prefix = f"a4c_{self.run}_"
        self.key_file = self.folder / "first-key"
        stack.sql(f"CREATE ROLE {self.schema} LOGIN PASSWORD '{self.run}'", ADMIN)
        config = self.config(hosts, durability, one_database, servers)
        for section, settings in sections.items():
            config.setdefault(section, {}).update(settings)
        self.instances = [Instance(number, self.folder, config) for number in range(1, count + sync_apart + 1)]
        self.serving = self.instances[:count]
        self.syncing = self.instances[count:] or self.instances
        if sync_apart:
            for instance in self.instances:
                instance.set_config(roles=["api", "worker"] if instance in self.serving else ["api", "sync", "poller"])
        self.gateway_runs = False

    def config(self, hosts, durability, one_database, servers):
        provider = {"plugin": hosts}
        if hosts == "host-baremetal":
            provider["config"] = {"cluster": self.run, **({"servers_file": os.environ[servers]} if servers else {})}
        config = {"api": {"rate_per_s": 0, "bootstrap_key_file": str(self.key_file)},
                  "store": {"plugin": "store-postgres",
                            "config": {**self.as_two_roles(), "schema": self.schema, "durability": durability}},
                  "hosts": provider}
        if one_database:
            search = {"plugin": "search-postgres", "config": {**self.as_two_roles(), "schema": self.search_schema}}
            return {**config, "search": search}
        search = {"plugin": "search-elastic", "config": {"urls": os.environ["A4C_TEST_ELASTICSEARCH_URLS"].split(","),
                                                         "index_prefix": self.index_prefix}}
        bus = {"plugin": "bus-kafka", "config": {"brokers": os.environ["A4C_TEST_KAFKA_BROKERS"]}}
        return {**config, "bus": bus, "search": search}

    def as_two_roles(self):
        """As it is to be in production: who asks for a tenant sees the rows of that tenant alone."""
        owner = os.environ["A4C_TEST_POSTGRES_DSN"]
        return {"dsn": f"{owner} user={self.schema} password={self.run}", "background_dsn": owner,
                "row_security": True}

    def start(self):
        """The first one makes the tables and the key."""
        self.instances[0].start()
        self.instances[0].wait_ready()
        for instance in self.instances[1:]:
            instance.start()
        for instance in self.instances[1:]:
            instance.wait_ready()
        return self

    @property
    def key(self):
        return self.key_file.read_text().strip()

    @property
    def addresses(self):
        return [instance.address for instance in self.serving]

    def start_gateway(self, **parameters):
        """Starts it, or swaps in other parameters (A4C_GATEWAY_... without that prefix); its address."""
        stack.run("gateway/start", A4C_STACK_BACKENDS=" ".join(self.addresses),
                  **{f"A4C_GATEWAY_{name}": str(value) for name, value in parameters.items()})
        self.gateway_runs = True
        return stack.env_of("gateway")["A4C_TEST_GATEWAY_URL"].removeprefix("http://")

    def stop(self):
        if self.gateway_runs:
            stack.run("gateway/stop")
            self.gateway_runs = False
        for instance in self.instances:
            instance.stop()
        reports = [line for instance in self.instances for line in instance.sanitizer_reports()]
        if reports:
            raise AssertionError("sanitizers complained: " + "; ".join(reports))

    def abandon(self):
        """Ends what still runs, after something went wrong."""
        for instance in self.instances:
            if instance.process is not None and instance.process.poll() is None:
                instance.kill()

    def drop(self):
        """Removes the run's tables and role."""
        for schema in (self.schema, self.search_schema):
            stack.sql(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        stack.sql(f"DROP ROLE IF EXISTS {self.schema}", ADMIN)


def wait_until(what, condition, limit_s):
    """Polls; the first true answer. The limit is generous: it bounds a hang, it measures nothing."""
    end = time.monotonic() + limit_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {limit_s} s")
        time.sleep(0.1)
