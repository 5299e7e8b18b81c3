"""Requests over one connection that is kept; and the command line."""
import dataclasses
import http.client
import json
import os
import pathlib
import subprocess
import time


@dataclasses.dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: object  # JSON, a list of what the lines of NDJSON are, or text


class BrokenConnection(OSError):
    """No answer: whatever was asked may or may not have been done."""


# a4cd closes a connection that was idle for api.keep_alive (5 s); one that may be closed is not used again.
IDLE_MAX_S = 2


class Client:
    """One thread's connection to one address."""

    def __init__(self, address, key="", timeout_s=20):
        self.address, self.key, self.timeout_s = address, key, timeout_s
        self.connection = None
        self.used_at = 0

    def ask(self, method, path, body=None, headers=None):
        headers = {"Content-Type": "application/json", **(headers or {})}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        if time.monotonic() - self.used_at > IDLE_MAX_S:
            self.close()
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.address, timeout=self.timeout_s)
            self.connection.request(method, path, encoded(body), headers)
            answer = self.connection.getresponse()
            text = answer.read().decode()
            self.used_at = time.monotonic()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise BrokenConnection(f"{method} {path} at {self.address}: {error!r}") from error
        if answer.will_close:
            self.close()
        return Answer(answer.status, answer.headers, parsed(answer.headers, text))

    def batch(self, jobs):
        """A result for each, in their order."""
        lines = "".join(json.dumps(job) + "\n" for job in jobs).encode()
        return self.ask("POST", "/v1/jobs:batch", lines, {"Content-Type": "application/x-ndjson"}).body

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def encoded(body):
    """Bytes are sent as they are."""
    return body if body is None or isinstance(body, bytes) else json.dumps(body)


def parsed(headers, text):
    kind = headers.get("Content-Type", "")
    if "ndjson" in kind:
        return [json.loads(line) for line in text.splitlines()]
    return json.loads(text) if text and "json" in kind else text


class CommandLine:
    """`a4c` as a user runs it, against one URL with one key."""

    def __init__(self, url, key):
        self.environment = {**os.environ, "A4C_URL": url, "A4C_API_KEY": key, "A4C_CONFIG": "/nonexistent/config.yaml"}

    def run(self, *words, exit_code=0, timeout_s=180):
        """Standard output. Another exit code than the one expected is an error with all that was said."""
        program = pathlib.Path(os.environ["A4C_TEST_BIN"]) / "a4c"
        done = subprocess.run([program, *words], text=True, capture_output=True, check=False, timeout=timeout_s,
                              env=self.environment)
        if done.returncode != exit_code:
            raise AssertionError(f"a4c {' '.join(words)} ended with {done.returncode}, not {exit_code}:\n"
                                 f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return done.stdout

    def json(self, *words):
        return json.loads(self.run(*words, "-o", "json"))
