"""Hosts on this machine: each has an address, a host name and a /tmp of its own (network, UTS and mount namespaces).

See namespaces(7). This machine is one more host of their network. Everything ends with this process.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.cluster.processes import Unavailable


class Namespaces:
    """Namespaces of these kinds, in which `script` was run. `enter`: the start of a command that runs in them.

    Raises Unavailable where the kernel does not allow them.
    """

    def __init__(self, kinds: Sequence[str], script: Sequence[str]):
        lines = [*script, "ip link set lo up", "echo ready", "exec cat"]  # cat ends with this process
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        try:
            self.process = subprocess.Popen(["unshare", *kinds, "sh", "-ec", "\n".join(lines)], **pipes)
        except FileNotFoundError as error:
            raise Unavailable("no unshare") from error
        if (line := self.process.stdout.readline().strip()) != "ready":
            raise Unavailable(f"no namespaces: {line}")
        self.enter = ["nsenter", f"--target={self.process.pid}", *kinds]

    def __enter__(self) -> "Namespaces":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def run(self, *command: str) -> None:
        run(*self.enter, *command)


class Host(Namespaces):
    """A host that sees the files of this machine, but of /tmp only the folders `visible`."""

    def __init__(self, name: str, address: str, visible: Sequence[Path], tmp_size: str):
        self.name, self.address = name, address
        script = [
            f"hostname {name}",
            "mount -t tmpfs tmpfs /mnt",  # keeps the folders while /tmp is replaced
            *(f"mkdir /mnt/{i} && mount --rbind {path} /mnt/{i}" for i, path in enumerate(visible)),
            f"mount -t tmpfs -o size={tmp_size} tmpfs /tmp",
            *(f"mkdir -p {path} && mount --move /mnt/{i} {path}" for i, path in enumerate(visible)),
            "umount /mnt",
            f"echo '127.0.0.1 localhost\n{address} {name}' > /tmp/hosts && mount --bind /tmp/hosts /etc/hosts",
        ]
        super().__init__(["--net", "--uts", "--mount"], script)

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Leaves no space in /tmp inside the block."""
        self.run("sh", "-c", "! cat /dev/zero > /tmp/filled 2> /tmp/error")
        try:
            yield
        finally:
            self.run("rm", "/tmp/filled")

    @contextmanager
    def hidden(self, path: Path) -> Iterator[None]:
        """Lets the host see an empty folder at `path` inside the block."""
        self.run("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(path))
        try:
            yield
        finally:
            self.run("umount", str(path))


class Hosts:
    """Hosts that exist inside a `with` block. `address`: that of this machine in their network.

    `visible`: the folders that they share with this machine, as in `Host`. Raises Unavailable where the kernel allows
    no namespaces.
    """

    def __init__(self, count: int, visible: Sequence[Path], tmp_size: str = "512m"):
        self.count, self.visible, self.tmp_size = count, visible, tmp_size
        self.network = f"198.18.{os.getpid() % 256}"  # of the addresses for tests, RFC 2544
        self.address = f"{self.network}.1"
        self.hosts: list[Host] = []
        self.stack = ExitStack()

    def __enter__(self) -> "Hosts":
        with self.stack:
            script = ["ip link add bridge type bridge", "ip link set bridge up"]
            switch = self.stack.enter_context(Namespaces(["--net"], script))
            interface = f"hosts{os.getpid()}"
            connect(switch, "port0", interface)
            run("ip", "address", "add", f"{self.address}/24", "dev", interface)
            run("ip", "link", "set", interface, "up")
            for number in range(1, self.count + 1):
                address = f"{self.network}.{number + 1}"
                host = self.stack.enter_context(Host(f"host{number}", address, self.visible, self.tmp_size))
                connect(switch, f"port{number}", "eth0", ["netns", str(host.process.pid)])
                host.run("ip", "address", "add", f"{address}/24", "dev", "eth0")
                host.run("ip", "link", "set", "eth0", "up")
                self.hosts.append(host)
            self.stack = self.stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()


def connect(switch: Namespaces, port: str, interface: str, where: Sequence[str] = ()) -> None:
    """Connects a new interface (`where`: in its namespace) with a new port of the bridge of `switch`."""
    peer = ["peer", "name", port, "netns", str(switch.process.pid)]
    run("ip", "link", "add", interface, *where, "type", "veth", *peer)
    switch.run("ip", "link", "set", port, "master", "bridge", "up")


def run(*command: str) -> None:
    """Raises Unavailable with what the command says if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise Unavailable(f"no {command[0]}") from error
    if done.returncode:
        raise Unavailable(f"no namespaces: {done.stderr.strip()}")
