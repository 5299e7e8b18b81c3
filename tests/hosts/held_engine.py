"""A socket in front of a server's dockerd, which keeps chosen requests waiting: they have left their worker for good, and
their engine has not read them yet."""
import contextlib
import pathlib
import re
import secrets
import socket
import threading


class HeldEngine:
    """Requests come one after the other on each connection, and each in one piece, as host-baremetal sends them."""

    def __init__(self, docker_socket):
        """docker_socket: as this machine sees it; the new one is beside it."""
        name = f"held-{secrets.token_hex(4)}.sock"
        self.docker_socket, self.path = docker_socket, pathlib.Path(docker_socket).with_name(name)
        self.path_there = f"/run/{name}"  # as the server sees it
        self.wanted, self.held = None, 0
        self.lock, self.released = threading.Lock(), threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.path.chmod(0o666)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self):
        self.released.set()
        self.listener.close()
        self.path.unlink()

    def hold(self, pattern):
        """The next request whose beginning matches."""
        with self.lock:
            self.wanted = re.compile(pattern.encode())

    def release(self):
        self.released.set()

    def serve(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                threading.Thread(target=self.join, args=self.listener.accept()[:1], daemon=True).start()

    def join(self, client):
        with client, socket.socket(socket.AF_UNIX) as engine:
            engine.connect(self.docker_socket)
            up = threading.Thread(target=self.carry, args=(client, engine, self.wait), daemon=True)
            up.start()
            self.carry(engine, client, lambda piece: None)
            up.join()

    @staticmethod
    def carry(source, target, before):
        with contextlib.suppress(OSError):  # either has gone
            while piece := source.recv(1 << 16):
                before(piece)
                target.sendall(piece)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def wait(self, request):
        with self.lock:
            if self.wanted is None or not self.wanted.match(request):
                return
            self.wanted = None
            self.held += 1
        self.released.wait()
