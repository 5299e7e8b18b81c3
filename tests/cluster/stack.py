"""The real servers that dev/stack has started: where they are, and its scripts that break and mend them."""
import os
import pathlib
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def need(*names):
    """Skips the test where servers are missing; where CI or A4C_REQUIRE_SERVERS is set, fails it."""
    missing = [name for name in names if not os.environ.get(name)]
    if not missing:
        return
    why = f"{', '.join(missing)} not set: eval \"$(dev/stack/stack env)\""
    if os.environ.get("CI") or os.environ.get("A4C_REQUIRE_SERVERS"):
        raise AssertionError(why)
    raise unittest.SkipTest(why)


def run(script, *arguments, timeout_s=180, stdin=subprocess.DEVNULL, **environment):
    """Runs a script of dev/stack and returns what it prints; its complaints go into the error."""
    done = subprocess.run([ROOT / "dev/stack" / script, *arguments], text=True, stdin=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, timeout=timeout_s, env={**os.environ, **environment})
    if done.returncode != 0:
        raise RuntimeError(f"{script} {' '.join(arguments)} failed ({done.returncode}): {done.stderr[-2000:]}")
    return done.stdout.strip()


def env_of(part):
    """What a part's scripts say about it, as `stack env` would print it."""
    lines = (state_folder() / part / "env").read_text().splitlines()
    pairs = (line.removeprefix("export ").split("=", 1) for line in lines)
    return {name: value.strip("'") for name, value in pairs}


def state_folder():
    default = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "a4c/stack"
    return pathlib.Path(os.environ.get("A4C_STACK_DIR") or default)


def sql(statement, dsn="A4C_TEST_POSTGRES_DSN"):
    """The rows of a statement on the primary, as lists of texts; `dsn` names the variable that says as whom."""
    done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", statement,
                           os.environ[dsn]], text=True, capture_output=True, check=False, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"psql: {done.stderr.strip()}")
    return [line.split("\t") for line in done.stdout.splitlines()]
