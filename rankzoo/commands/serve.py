"""`serve`: the app for others, with the settings that keep a class of people safe."""
from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from rankzoo.errors import ZooError

ALL = ("0.0.0.0", "::", "")


@click.command()
@click.option("--port", type=click.IntRange(1, 65_535), default=8501, show_default=True)
@click.option("--address", default="127.0.0.1", show_default=True, help="0.0.0.0 lets others in.")
@click.option("--host", "hosts", multiple=True, metavar="NAME", help="A further name the app is reached by. Repeatable.")
@click.option("--profile", default="class", show_default=True, help="The limits: class or local.")
def serve(port: int, address: str, hosts: tuple[str, ...], profile: str) -> None:
    """Start the app in the foreground; SIGTERM or Ctrl-C ends it."""
    from rankzoo.data.limits import limits_of

    limits_of(profile)
    app = Path(__file__).parents[2] / "app.py"
    if not app.is_file():
        raise ZooError("The app is not here.", "Start it from a checkout of RankZoo, where app.py lies beside the package.")
    check_free(address, port)
    shown = socket.gethostname() if address in ALL else address
    click.echo(f"RankZoo is at http://{f'[{shown}]' if ':' in shown else shown}:{port}")
    sys.stdout.flush()
    environment = os.environ | {"RANKZOO_PROFILE": profile}
    command = command_line(app, port, address, [*names(address), *hosts])
    # The app takes this process's place, so that a signal to it reaches the server itself, kill -9 included.
    os.chdir(app.parent)
    os.execve(sys.executable, command, environment)


def command_line(app: Path, port: int, address: str, hosts: Sequence[str]) -> list[str]:
    """How Streamlit is started. XSRF and CORS protection stay on, which is their default."""
    settings = {"server.port": port, "server.address": address, "server.headless": "true", "server.maxUploadSize": 25,
                "server.fileWatcherType": "none", "client.showErrorDetails": "none", "browser.gatherUsageStats": "false"}
    options = [f"--{name}={value}" for name, value in settings.items()]
    return [sys.executable, "-m", "streamlit", "run", str(app), *options,
            *(f"--server.allowedHosts={host}" for host in dict.fromkeys(hosts))]


def names(address: str) -> list[str]:
    """The names under which this machine is reached at an address: a page of another name must not open a socket to us."""
    own = ["localhost", "127.0.0.1", "[::1]"]
    if address not in ALL:
        return [*own, f"[{address}]" if ":" in address else address]
    import psutil

    found = [each.address for interface in psutil.net_if_addrs().values() for each in interface
             if each.family in (socket.AF_INET, socket.AF_INET6)]
    machine = [socket.gethostname(), f"{socket.gethostname()}.local", socket.getfqdn()]
    return [*own, *machine, *(f"[{each.partition('%')[0]}]" if ":" in each else each for each in found)]


def check_free(address: str, port: int) -> None:
    """Raise a ZooError where the port is taken or the address is not this machine's."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(address or None, port, type=socket.SOCK_STREAM,
                                                              flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except (OSError, UnicodeError) as error:
        raise ZooError("The app cannot listen at {address}, port {port}: {why}.", "Choose another with --address and --port.",
                       at="port", address=address[:80], port=port,
                       why=(getattr(error, "strerror", "") or "not an address").lower()) from None
