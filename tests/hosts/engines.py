"""The Docker servers of dev/stack, asked past a4cd: what is there of a cluster."""
import json
import os
import time

from tests.cluster import stack

A4C_HOST_DATA = "/srv/a4c"


def sockets():
    """dockerd's socket of each server, as this machine sees it."""
    return os.environ["A4C_TEST_BAREMETAL_SOCKETS"].split(",")


class Engine:
    """The server of that number, server-1 being the first."""

    def __init__(self, number, cluster):
        self.host, self.number, self.cluster = f"server-{number}", number, cluster

    def fault(self, what, *words):
        return stack.run("baremetal/fault", what, str(self.number), *words)

    def run(self, *words):
        """As root there; what it prints."""
        return self.fault("enter", *words)

    def docker(self, *words):
        return self.run("docker", *words)

    def answers(self):
        """Whether dockerd does."""
        try:
            return bool(self.docker("version", "--format", "{{.Server.Version}}"))
        except RuntimeError:
            return False

    def containers(self):
        """Name -> all that dockerd says, running or not; nobody makes or removes one meanwhile."""
        names = self.units()
        return dict(zip(names, json.loads(self.docker("inspect", *names)))) if names else {}

    def states(self):
        """Name -> running, exited, ... of the containers."""
        lines = self.docker("ps", "-a", "--format", "{{.Names}} {{.State}}", "--filter", f"label=a4c.cluster={self.cluster}")
        return dict(line.split() for line in lines.splitlines())

    def units(self):
        """The names of the containers, running or not."""
        return self.docker("ps", "-a", "--format", "{{.Names}}", "--filter", f"label=a4c.cluster={self.cluster}").split()

    def volumes(self):
        """Docker's, with the markers that keep epochs."""
        return self.docker("volume", "ls", "-q", "--filter", f"label=a4c.cluster={self.cluster}").split()

    def file_systems(self):
        """Unit -> bytes of what a4c-host keeps for it."""
        folder = f"{A4C_HOST_DATA}/{self.cluster}/volumes"
        lines = self.run("sh", "-c", f"! test -d {folder} || find {folder} -type f -printf '%f %s\\n'").splitlines()
        return {name: int(size) for name, size in (line.split() for line in lines)}

    def mounts(self):
        """Units whose file system is mounted."""
        folder = f"{A4C_HOST_DATA}/{self.cluster}/mounts/"
        lines = self.run("cat", "/proc/mounts").splitlines()
        return [place.removeprefix(folder) for place in (line.split()[1] for line in lines) if place.startswith(folder)]

    def identities(self):
        """Unit -> what tells its file system from any other that it might have been given anew."""
        folder = f"{A4C_HOST_DATA}/{self.cluster}/volumes"
        lines = self.run("sh", "-c", f"cd {folder} 2>/dev/null || exit 0; for file in *; do "
                         'echo "$file" $(blkid -p -o value -s UUID "$file"); done').splitlines()
        return dict(line.split() for line in lines if " " in line)  # else it is not whole yet

    def half_images(self):
        """What builds have left that did not come to their end, and nothing but that."""
        ours = f"a4c-building:{self.cluster}."
        ids = self.docker("images", "-q", "--filter", f"reference={ours}*").split()
        images = json.loads(self.docker("inspect", *set(ids))) if ids else []
        return [image["RepoTags"] for image in images if all(tag.startswith(ours) for tag in image["RepoTags"])]

    def events_since(self, begun):
        """(seconds since then, action, container) of what was done to containers; begun: of time.time()."""
        lines = self.docker("events", "--since", f"{begun:.6f}", "--until", f"{time.time():.6f}",
                            "--filter", "type=container", "--filter", f"label=a4c.cluster={self.cluster}",
                            "--format", "{{.TimeNano}} {{.Action}} {{.Actor.Attributes.name}}").splitlines()
        return [(int(at) / 1e9 - begun, action, name) for at, action, name in (line.split(maxsplit=2) for line in lines)]

    def clear(self):
        """Takes away what a test that failed has left."""
        for names, words in ((self.units(), ("rm", "-f", "-v")), (self.volumes(), ("volume", "rm", "-f"))):
            if names:
                self.docker(*words, *names)
        ours = ("--filter", f"reference=a4c-of:{self.cluster}.*")
        for image in self.docker("images", "--format", "{{.Repository}}:{{.Tag}}", *ours).split():
            names = json.loads(self.docker("inspect", "--format", "{{json .RepoTags}}", image))
            self.docker("rmi", "-f", *names)
        folder = f"{A4C_HOST_DATA}/{self.cluster}"
        self.run("sh", "-c", f"for one in {folder}/mounts/*; do ! mountpoint -q $one || umount $one; done; rm -rf {folder}")


def all_of(cluster):
    return [Engine(number, cluster) for number in range(1, len(sockets()) + 1)]
