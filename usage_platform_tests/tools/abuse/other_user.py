"""What another user of the machine may try: run as that user, in a process of its own.

Belongs here: the attacks, each first carried out as the platform's own user with what that user
knows, which must work, as otherwise a refusal would show nothing. Not here: judging (`attack`).

A program: reads a `Target` from its standard input and prints a line of JSON for each attack. It
is started as root and becomes the user `nobody` in between.
"""

import json
import os
import pwd
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import requests
from confluent_kafka import KafkaError, KafkaException, Producer

from usage_platform.adapters.kafka.security import LoopbackPassword
from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.spark.session import SparkUnreachableError, remote_session
from usage_platform.local.broker import BROKER_USER
from usage_platform.local.replies import GRPC, server_replies
from usage_platform_tests.kafka_wire import tells_its_settings
from usage_platform_tests.repository import ROOT
from usage_platform_tests.tools.abuse.attack import Attack, By, Outcome, Tried, tried, worked
from usage_platform_tests.tools.abuse.target import Target

USER = "nobody"
DATA = Attack("reading the data folder", By.USER)
SPARK = Attack("Spark Connect without its token", By.USER)
SPARK_PORTS = Attack("Spark's own ports", By.USER)
CODE = Attack("Dagster's code server", By.USER)
LINKS = Attack("a link among the claims on ports", By.USER)
SECRETS = Attack("secrets of processes", By.USER)
BROKER = Attack("publishing on the broker", By.USER)
CONTROLLER = Attack("the broker's controller", By.USER)
RUNS = Attack("starting runs on Dagster's pages", By.USER, "start runs on Dagster's")
ATTACKS = (DATA, SPARK, SPARK_PORTS, CODE, LINKS, SECRETS, BROKER, CONTROLLER, RUNS)
_WITHIN_S = 10
_PORT_WITHIN_S = 5
_LONGEST_S = 300
_RPC_REQUEST, _RPC_FAILURE = 3, 5


def outcomes(target: Target) -> dict[Attack, Tried]:
    """Try all attacks in a process that becomes another user; left out where this one cannot."""
    if os.geteuid() != 0:
        why = Tried(Outcome.LEFT_OUT, "only root can become another user")
        return dict.fromkeys(ATTACKS, why)
    done = subprocess.run(
        (sys.executable, "-m", __name__),
        input=target.as_json(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    found = {name: Tried(Outcome(outcome), seen) for name, outcome, seen in said}
    last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    return {one: found.get(one.name, Tried(Outcome.NOT_TRIED, last)) for one in ATTACKS}


def main() -> None:
    """Carry out each attack as the owner, become another user, and try again."""
    target = Target.of_json(sys.stdin.read())
    as_owner = {one: tried(run, target) for one, run in _TRIES.items()}
    account = pwd.getpwnam(USER)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    os.chdir("/")
    for attack, run in _TRIES.items():
        control = as_owner[attack]
        if control.outcome is not Outcome.WORKED:
            result = Tried(Outcome.NOT_TRIED, f"its own user cannot do it either: {control.seen}")
        else:
            result = tried(run, _known_to_others(target, attack))
        print(json.dumps([attack.name, result.outcome, result.seen]), flush=True)


def _known_to_others(target: Target, attack: Attack) -> Target:
    """What another user can know; which secret to look for is not that user's knowledge."""
    return target if attack is SECRETS else replace(target, token="", password="")


def _data(target: Target) -> Tried:
    data = Path(target.data)
    with suppress(PermissionError):
        return worked(True, f"it has {len([*data.iterdir()])} entries")
    for path in (data / "run" / "stack.json", data / "logs" / "spark.log"):
        with suppress(PermissionError):
            return worked(True, f"{path} has {len(path.read_bytes())} bytes")
    return worked(False, "permission denied")


def _spark(target: Target) -> Tried:
    tokens = [target.token] if target.token else ["", "guessed"]
    for token in tokens:
        bearer = f"/;authorization=Bearer%20{token}" if token else ""
        address = f"sc://127.0.0.1:{target.spark}{bearer}"
        with suppress(SparkUnreachableError), remote_session(address) as spark:
            return worked(spark.sql("SELECT 1 AS one").collect()[0].one == 1, "a query ran")
    return worked(False, "refused")


def _spark_ports(target: Target) -> Tried:
    """Send a call that does not prove that it knows the secret; the owner cannot either.

    What the server answers shows whether it asked: of a call that is taken it would say that it
    cannot be deserialized.
    """
    assert target.spark_ports, "no other port of Spark's was found"
    if target.token:  # There is nothing that the owner knows, as the secret never leaves the JVM.
        return worked(True, "not asked")
    body = b"\xac\xed\x00\x05" + bytes(60)
    frame = struct.pack(">QBqI", 21 + len(body), _RPC_REQUEST, 1, len(body)) + body
    said = {port: _reply(port, frame) for port in target.spark_ports}
    asking = [port for port, reply in said.items() if _asks_for_secret(reply)]
    taking = [port for port, reply in said.items() if reply and not _asks_for_secret(reply)]
    assert asking or taking, "no port answers"
    return worked(bool(taking), f"{len(asking)} of {len(said)} ports ask for the secret")


def _reply(port: int, sent: bytes) -> bytes:
    """What a port answers; nothing where nobody takes the connection, as it is another's turn."""
    try:
        with socket.create_connection(("127.0.0.1", port), _PORT_WITHIN_S) as sock:
            sock.sendall(sent)
            return sock.recv(65536)
    except (TimeoutError, ConnectionError):
        return b""


def _asks_for_secret(reply: bytes) -> bool:
    """Whether the server of Spark, or that of its Python workers, refuses for want of a secret."""
    is_failure = len(reply) > 8 and reply[8] == _RPC_FAILURE
    return (is_failure and b"Sasl" in reply) or reply.endswith(b"err")


def _code(target: Target) -> Tried:
    return worked(server_replies(Path(target.code_socket), GRPC), "asked over its socket")


def _links(target: Target) -> Tried:
    link = Path(target.claims, "65535")
    try:
        link.symlink_to("/etc/passwd")
    except PermissionError:
        return worked(False, "permission denied")
    link.unlink()
    return worked(True, "a link was made")


def _secrets(target: Target) -> Tried:
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            # Those that others may not read, or that have ended.
            with suppress(OSError):
                text = (process / name).read_bytes()
                if any(secret.encode() in text for secret in target.secrets):
                    return worked(True, f"in {process / name}")
    return worked(False, "in no command line or environment that can be read")


def _broker(target: Target) -> Tried:
    passwords = [target.password] if target.password else ["", "guessed"]
    taken = [password for password in passwords if _publishes(target.kafka, password)]
    return worked(bool(taken), "published" if taken else "refused")


def _publishes(bootstrap: str, password: str) -> bool:
    errors: list[KafkaError | None] = []
    login = LoopbackPassword(BROKER_USER, password).client() if password else {}
    client = {"bootstrap.servers": bootstrap, "log_level": 0, **login}
    producer = Producer({**client, "message.timeout.ms": _WITHIN_S * 1000})
    producer.produce(USAGE, b"published", on_delivery=lambda error, _: errors.append(error))
    with suppress(KafkaException):
        producer.flush(2 * _WITHIN_S)
    # Not by ==: an error cannot be compared with None.
    return len(errors) == 1 and errors[0] is None


def _controller(target: Target) -> Tried:
    guesses = [target.password] if target.password else ["", "guessed"]
    tells = any(
        tells_its_settings(target.controller, BROKER_USER if guess else "", guess)
        for guess in guesses
    )
    return worked(tells, "it told its settings" if tells else "refused")


def _runs(target: Target) -> Tried:
    query = 'mutation { setConcurrencyLimit(concurrencyKey: "others", limit: 1) }'
    answer = requests.post(f"{target.ui}/graphql", json={"query": query}, timeout=_WITHIN_S)
    return worked(answer.ok and "errors" not in answer.json(), f"status {answer.status_code}")


_TRIES: dict[Attack, Callable[[Target], Tried]] = {
    DATA: _data,
    SPARK: _spark,
    SPARK_PORTS: _spark_ports,
    CODE: _code,
    LINKS: _links,
    SECRETS: _secrets,
    BROKER: _broker,
    CONTROLLER: _controller,
    RUNS: _runs,
}

if __name__ == "__main__":
    main()
