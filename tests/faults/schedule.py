"""Which faults come, in which order, drawn from a seed."""
import random
import time

from tests.faults import servers

# name -> how often it is drawn; failovers come in the number that is asked for
WEIGHTS = {"a4cd-kill": 4, "a4cd-pause": 2, "sync-kill": 2, "sync-pause": 1, "postgres-pause": 1, "standby-kill": 1,
           "broker-kill": 2, "broker-pause": 1, "search-kill": 2, "search-pause": 1}
WORKER_WEIGHTS = {"worker-kill": 4, "worker-pause": 2}


class Schedule:
    """`failovers` lists, for each, (begin, end) of the time in which there was no primary. `workers`: instances whose jobs
    run, if there are any; then one of them is killed at least."""

    def __init__(self, cluster, seed, count, failovers, workers=()):
        self.cluster, self.workers, self.dice, self.failovers = cluster, list(workers), random.Random(seed), []
        weights = WEIGHTS | (WORKER_WEIGHTS if self.workers else {})
        names = ["worker-kill"] if self.workers else []
        names += self.dice.choices(list(weights), list(weights.values()), k=count - failovers - len(names))
        # Every second failover comes after the primary has lost its standbys.
        names += [("postgres-failover", "postgres-cut-failover")[number % 2] for number in range(failovers)]
        self.dice.shuffle(names)
        self.names = names

    def run(self):
        for number, name in enumerate(self.names, 1):
            time.sleep(self.dice.uniform(0.5, 2.0))
            hold_s, begun = self.dice.uniform(0.5, 4.0), time.monotonic()
            self.inject(name, hold_s)
            print(f"{number:3} {name}: held {hold_s:.1f} s, healed after {time.monotonic() - begun:.1f} s", flush=True)

    def inject(self, name, hold_s):
        subject, _, what = name.partition("-")
        if subject == "a4cd":
            self.fault_of_instance(self.cluster.serving, what, hold_s)
        elif subject == "sync":
            self.fault_of_instance(self.cluster.syncing, what, hold_s)
        elif subject == "worker":
            self.fault_of_instance(self.workers, what, hold_s)
        elif subject == "broker":
            getattr(servers.broker(), what)(hold_s)
        elif subject == "search":
            getattr(servers.search_node(self.dice), what)(hold_s)
        else:
            self.fault_of_postgres(name, hold_s)

    def fault_of_instance(self, instances, what, hold_s):
        instance = self.dice.choice(instances)
        if what == "kill":
            instance.kill()
            time.sleep(hold_s)
            instance.start()
            instance.wait_ready()
        else:
            with servers.paused([instance.process.pid]):
                time.sleep(hold_s)

    def fault_of_postgres(self, name, hold_s):
        if name == "postgres-failover":
            servers.fail_over(self.note_failover)
        elif name == "postgres-cut-failover":
            servers.cut_off_and_fail_over(self.note_failover, hold_s / 2)  # shorter than wal_receiver_timeout
        elif name == "postgres-pause":
            servers.pause_primary(hold_s)
        else:
            servers.kill_standby(hold_s)

    def note_failover(self, begun_ns, ended_ns, old, new):
        self.failovers.append((begun_ns, ended_ns))
        print(f"    {old} died, {new} took over after {(ended_ns - begun_ns) / 1e9:.2f} s", flush=True)
