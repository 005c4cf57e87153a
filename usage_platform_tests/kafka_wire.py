"""Kafka's protocol by hand, for what no client offers: asking a controller, logged in or not.

Belongs here: the bytes (https://kafka.apache.org/protocol). Not here: what they are asked for.
"""

import socket
import struct

_DESCRIBE_CONFIGS, _SASL_HANDSHAKE, _SASL_AUTHENTICATE = 32, 17, 36
_BROKER = 4
_WITHIN_S = 10.0


def tells_its_settings(port: int, user: str = "", password: str = "") -> bool:
    """Whether a node on 127.0.0.1:`port` tells its settings; without a user nobody logs in."""
    with socket.create_connection(("127.0.0.1", port), _WITHIN_S) as sock:
        try:
            if user:
                _ask(sock, _SASL_HANDSHAKE, 1, _text("PLAIN"))
                token = f"\0{user}\0{password}".encode()
                _ask(sock, _SASL_AUTHENTICATE, 0, struct.pack(">i", len(token)) + token)
            resource = struct.pack(">ib", 1, _BROKER) + _text("1") + struct.pack(">i?", -1, False)
            return b"log.dirs" in _ask(sock, _DESCRIBE_CONFIGS, 1, resource)
        except ConnectionError:
            return False


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def _ask(sock: socket.socket, key: int, version: int, body: bytes) -> bytes:
    """The answer to a request.

    Raises:
        ConnectionError: When the other side closes the connection.
    """
    request = struct.pack(">hhi", key, version, 1) + _text("by hand") + body
    sock.sendall(struct.pack(">i", len(request)) + request)
    size = struct.unpack(">i", _exactly(sock, 4))[0]
    return _exactly(sock, size)


def _exactly(sock: socket.socket, count: int) -> bytes:
    parts = b""
    while len(parts) < count:
        part = sock.recv(count - len(parts))
        if not part:
            raise ConnectionError("closed")
        parts += part
    return parts
