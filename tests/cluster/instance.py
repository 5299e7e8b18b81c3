"""One a4cd, as a process that a test starts, kills, pauses and stops."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from tests.cluster.client import Client

LEAKS_OF_OTHERS = pathlib.Path(__file__).with_name("lsan.supp")
SANITIZER_WORDS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:")


def binary(name):
    return pathlib.Path(os.environ["A4C_TEST_BIN"]) / name


def free_port():
    """A port that nothing listens on: the gateway has to know it before and after a restart."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Instance:
    def __init__(self, number, folder, config):
        self.number, self.folder, self.port = number, pathlib.Path(folder), free_port()
        self.log_path = self.folder / f"a4cd-{number}.log"
        self.config_path = self.folder / f"a4cd-{number}.yaml"
        self.process = None
        self.config = {"data_directory": str(self.folder / f"data-{number}"), **config,
                       "api": {"listen": self.address, **config.get("api", {})}}
        self.folder.mkdir(parents=True, exist_ok=True)
        self.set_config()

    def set_config(self, **sections):
        """For its next start, with these in the place of what was there."""
        self.config.update(sections)
        self.config_path.write_text(json.dumps(self.config, indent=2))  # JSON is YAML

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        with self.log_path.open("ab") as log:
            program = os.environ.get("A4C_TEST_A4CD") or binary("a4cd")
            environment = {**os.environ, "LSAN_OPTIONS": f"suppressions={LEAKS_OF_OTHERS}:print_suppressions=0"}
            self.process = subprocess.Popen([program, "--config", self.config_path], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env=environment, start_new_session=True)

    def is_ready(self):
        client = Client(self.address, timeout_s=5)
        try:
            return client.ask("GET", "/readyz").status == 200
        except OSError:
            return False
        finally:
            client.close()

    def wait_ready(self, limit_s=120):
        end = time.monotonic() + limit_s
        while not self.is_ready():
            if self.process.poll() is not None:
                raise RuntimeError(f"a4cd {self.number} ended with {self.process.returncode}: {self.log_end()}")
            if time.monotonic() > end:
                raise RuntimeError(f"a4cd {self.number} is not ready after {limit_s} s: {self.log_end()}")
            time.sleep(0.05)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self, limit_s=90):
        """Drains, and looks whether it ended well."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"a4cd {self.number} does not drain: {self.log_end()}") from None
        self.process = None
        if code not in (0, -signal.SIGKILL):
            raise RuntimeError(f"a4cd {self.number} ended with {code}: {self.log_end()}")

    def sanitizer_reports(self):
        """What a sanitizer said in any life of this instance."""
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        return [line for line in text.splitlines() if any(word in line for word in SANITIZER_WORDS)]

    def log_end(self):
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        return text[-3000:]
