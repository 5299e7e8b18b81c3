"""What clients asked and were told, as JSON lines that any checker can read:

    {"op": 7, "type": "invoke", "client": 2, "f": "cancel", "record": "r3", "rev": 1, "time_ns": 5123}
    {"op": 7, "type": "unknown", "client": 2, "why": "503 outcome-unknown", "time_ns": 6000}
    {"op": 7, "type": "ok", "client": 2, "rev": 2, "time_ns": 7011}

An operation begins with `invoke` and ends with `ok` or `fail` (it was not done); `unknown` stands for an attempt that
told nothing, after which the same request is sent again with the same key. `rev` of an invoke is the version that the
change is of, `rev` of an ok the one that it made or read.
"""
import json
import threading
import time


class History:
    def __init__(self, path):
        self.path = path
        # Line by line: whoever reads what a run that was killed has left is to find all of it.
        self.file = open(path, "w", buffering=1, encoding="utf-8")  # pylint: disable=consider-using-with
        self.lock = threading.Lock()
        self.operations = 0
        self.begun_ns = time.monotonic_ns()

    def invoke(self, client, function, record, **more):
        with self.lock:
            self.operations += 1
            op = self.operations
            self.write({"op": op, "type": "invoke", "client": client, "f": function, "record": record, **more})
        return op

    def note(self, op, kind, client, **more):
        with self.lock:
            self.write({"op": op, "type": kind, "client": client, **more})

    def write(self, line):
        self.file.write(json.dumps({**line, "time_ns": time.monotonic_ns() - self.begun_ns}) + "\n")

    def close(self):
        self.file.close()

    def lines(self):
        with open(self.path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]


class Operation:
    """One operation of a history, put together from its lines."""

    def __init__(self, invoke):
        self.function, self.record, self.expected_rev = invoke["f"], invoke["record"], invoke.get("rev")
        self.begun_ns, self.unknowns, self.outcome, self.end = invoke["time_ns"], 0, None, None

    def add(self, line):
        if line["type"] == "unknown":
            self.unknowns += 1
        else:
            self.outcome, self.end = line["type"], line


def operations_of(lines):
    operations = {}
    for line in lines:
        if line["type"] == "invoke":
            operations[line["op"]] = Operation(line)
        else:
            operations[line["op"]].add(line)
    return operations


def longest_gap_s(lines, begin_ns, end_ns):
    """The longest time within these bounds in which no write was acknowledged."""
    writes = {line["op"] for line in lines if line["type"] == "invoke" and line["f"] != "get"}
    acknowledged = [line["time_ns"] for line in lines if line["type"] == "ok" and line["op"] in writes]
    times = [begin_ns, *(t for t in acknowledged if begin_ns < t < end_ns), end_ns]
    return max((after - before) / 1e9 for before, after in zip(times, times[1:]))
