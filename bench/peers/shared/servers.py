"""The servers that peers need beside the search engine, in a folder of their own: a PostgreSQL with logical
decoding, and Redis. Ports are free ones of the loopback."""
import contextlib
import glob
import os
import shutil
import socket
import subprocess
import tempfile
import time

PATIENCE_S = 120


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def wait_until(what, is_so):
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.1)


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Postgres:
    """fsync is on, memory as in dev/stack; root cannot run it, so `postgres` does."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="a4c-peer-")
        os.chmod(self.folder, 0o777)
        self.port = free_port()
        self.programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.run("initdb", "-D", f"{self.folder}/data", "-A", "trust", "-U", "postgres", "--no-instructions")
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", f"{self.folder}/log", "-o",
                 f"-p {self.port} -k {self.folder} -h 127.0.0.1 -c wal_level=logical -c max_wal_size=4GB "
                 "-c shared_buffers=256MB", "start")
        self.uri = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def run(self, program, *arguments):
        as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        subprocess.run([*as_user, f"{self.programs}/{program}", *arguments], check=True, cwd="/",
                       stdout=subprocess.DEVNULL)

    def sql(self, statement, given=None):
        return subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.uri, "-c", statement],
                              check=True, capture_output=True, text=True, input=given).stdout.strip()

    def stop(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


class Redis:
    def __init__(self):
        self.port = free_port()
        self.process = subprocess.Popen(["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                                         "--appendonly", "no"], stdout=subprocess.DEVNULL)
        wait_until("Redis", lambda: answers(self.port))

    def stop(self):
        self.process.kill()
        self.process.wait()
