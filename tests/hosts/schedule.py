"""Which faults come to a4cd and its servers, in which order, drawn from a seed: each kind at least once."""
import random
import time

from tests.cluster.cluster import wait_until

# name -> how often it is drawn beyond the first time
WEIGHTS = {"a4cd-kill": 4, "dockerd-hang": 3, "dockerd-kill": 3, "sessions-kill": 2, "link-down": 2, "host-key": 1}
HOLD_S = (1.0, 8.0)  # hosts.timeout is 5 s
QUARANTINE_MAX_S = ANSWER_MAX_S = 60


class Schedule:
    """`look` is called before each fault, while nothing is broken but what others have left behind."""

    def __init__(self, case, seed, count, look):
        self.case, self.dice, self.look = case, random.Random(seed), look
        names = list(WEIGHTS) + self.dice.choices(list(WEIGHTS), list(WEIGHTS.values()), k=max(0, count - len(WEIGHTS)))
        self.dice.shuffle(names)
        self.names, self.shown = names, {}  # server -> another host key than its own, by fingerprint

    def run(self):
        for number, name in enumerate(self.names, 1):
            time.sleep(self.dice.uniform(0.5, 2.0))
            self.look()
            hold_s, begun = self.dice.uniform(*HOLD_S), time.monotonic()
            what = getattr(self, name.replace("-", "_"))(hold_s)
            print(f"{number:3} {name} of {what}: held {hold_s:.1f} s, ended after {time.monotonic() - begun:.1f} s", flush=True)

    def server(self):
        return self.dice.choice(self.case.engines)

    def a4cd_kill(self, hold_s):
        instance = self.dice.choice(self.case.cluster.instances)
        instance.kill()
        time.sleep(hold_s)
        instance.start()
        instance.wait_ready()
        return instance.number

    def dockerd_hang(self, hold_s):
        return self.between("dockerd-hang", "dockerd-resume", hold_s).host

    def dockerd_kill(self, hold_s):
        server = self.between("dockerd-kill", "dockerd-start", hold_s)
        wait_until("dockerd to answer", server.answers, ANSWER_MAX_S)
        return server.host

    def link_down(self, hold_s):
        return self.between("link-down", "link-up", hold_s).host

    def between(self, begin, end, hold_s):
        server = self.server()
        server.fault(begin)
        try:
            time.sleep(hold_s)
        finally:
            server.fault(end)
        return server

    def sessions_kill(self, hold_s):
        """Again and again: who has connected once more is cut off once more."""
        server, end = self.server(), time.monotonic() + hold_s
        while time.monotonic() < end:
            server.fault("sessions-kill")
            time.sleep(0.5)
        return server.host

    def host_key(self, hold_s):
        """Another key answers; a person finds it right and pins it, or it was somebody else at that address."""
        server = self.server()
        was_own = server.host not in self.shown
        fingerprint = server.fault("host-key-change" if was_own else "host-key-restore")
        server.fault("sessions-kill")  # who is connected would not learn of it
        host = wait_until("its quarantine", lambda: self.quarantined(server.host), QUARANTINE_MAX_S)
        self.case.assertEqual((host["state_reason"], host["shown_fingerprint"]), ("host_key_changed", fingerprint))
        time.sleep(hold_s)
        is_right = not was_own or self.dice.random() < 0.5
        if is_right:
            self.case.command_line(0).run("host", "enrol", server.host, "--fingerprint", fingerprint)
        else:
            server.fault("host-key-restore")
            self.case.command_line(0).run("host", "enrol", server.host)
        if is_right and was_own:
            self.shown[server.host] = fingerprint
        else:
            self.shown.pop(server.host, None)
        return f"{server.host}, {'which was right' if is_right else 'which was not its own'}"

    def quarantined(self, host):
        host = self.case.a4c(0, "host", "get", host)
        return host if host["state"] == "quarantined" else None
