"""A trace of tasks that come and go on a cluster of servers: read from a folder, or made up in the same shape.

A folder holds two CSV files with the columns of the GPU cluster trace of 2023 (github.com/alibaba/clusterdata), which
are known by their columns, not by their names. A server has four times its memory as disk, and a task asks for as much
disk as memory, because the trace has no disks.
"""
import csv
import dataclasses
import math
import pathlib
import random

SERVER_COLUMNS = {"sn", "cpu_milli", "memory_mib"}
TASK_COLUMNS = {"name", "cpu_milli", "memory_mib", "num_gpu", "gpu_spec", "qos", "pod_phase", "creation_time",
                "deletion_time"}


@dataclasses.dataclass
class Task:
    name: str
    cpu_millis: int
    memory_mib: int
    cards: int
    card: str
    qos: str
    phase: str
    created_s: float
    deleted_s: float

    def labels(self):
        return {"task": self.name, "qos": self.qos, "phase": self.phase, "card": self.card,
                "size": f"2^{int(math.log2(self.memory_mib))}"}


@dataclasses.dataclass
class Trace:
    servers: list  # of {"id", "disk_bytes", "memory_bytes", "cpu_millis"}
    tasks: list    # in the order in which they come


def server_of(name, cpu_millis, memory_mib):
    return {"id": name, "disk_bytes": 4 * memory_mib << 20, "memory_bytes": memory_mib << 20, "cpu_millis": cpu_millis}


def task_of(row):
    return Task(row["name"], int(row["cpu_milli"]), max(int(row["memory_mib"]), 1), int(row["num_gpu"]),
                row["gpu_spec"].replace("|", "-or-") or "any", row["qos"], row["pod_phase"],
                float(row["creation_time"]), float(row["deletion_time"] or "inf"))


def rows_with(folder, columns):
    for path in sorted(pathlib.Path(folder).glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if columns <= set(reader.fieldnames or ()):
                return list(reader)
    raise ValueError(f"{folder} holds no CSV file with the columns {', '.join(sorted(columns))}")


def read(folder):
    servers = [server_of(row["sn"], int(row["cpu_milli"]), int(row["memory_mib"]))
               for row in rows_with(folder, SERVER_COLUMNS)]
    return Trace(servers, sorted(map(task_of, rows_with(folder, TASK_COLUMNS)), key=lambda task: task.created_s))


def make(seed, servers, tasks):
    """Most tasks are gone soon, some stay."""
    dice = random.Random(seed)
    shapes = [(96_000, 393_216), (104_000, 524_288), (32_000, 262_144)]
    made = [server_of(f"server-{number:04}", *dice.choice(shapes)) for number in range(servers)]
    return Trace(made, sorted((make_task(dice, number) for number in range(tasks)), key=lambda task: task.created_s))


def make_task(dice, number):
    created_s = dice.uniform(0, 10_000)
    stays = dice.random() < 0.2
    return Task(f"task-{number:04}", dice.choice((1_000, 4_000, 8_000)), dice.randint(1, 32) * 512,
                dice.choice((0, 0, 1, 2, 8)), dice.choice(("any", "A10", "T4", "P100-or-T4")),
                dice.choice(("LS", "BE", "Burstable")), "Running" if stays else dice.choice(("Succeeded", "Failed")),
                created_s, math.inf if stays else created_s + dice.lognormvariate(6, 1))
