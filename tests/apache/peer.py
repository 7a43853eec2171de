"""Interop in Apache Thrift for Python, from the schema that a service of streamx prints.

    peer.py serve buffered|framed IP:PORT     serves until its stdin closes, and prints "listening IP:PORT"
    peer.py client buffered|framed IP:PORT    runs every case, each of which prints "ok CASE" or "FAIL CASE: why"
"""

import logging
import os
import struct
import sys
import threading
import time
from pathlib import Path

from thrift.Thrift import TApplicationException, TMessageType
from thrift.protocol.TBinaryProtocol import TBinaryProtocolAcceleratedFactory, TBinaryProtocolFactory
from thrift.server.TServer import TThreadedServer
from thrift.transport.TSocket import TServerSocket, TSocket
from thrift.transport.TTransport import TBufferedTransportFactory, TFramedTransportFactory

sys.path.insert(0, str(Path(__file__).parent / "gen"))
from interop import Interop
from interop.ttypes import Choice, Color, Command, Everything, Inner, NotFound, Packet

TRANSPORTS = {"buffered": TBufferedTransportFactory, "framed": TFramedTransportFactory}
# Written in Python and in C; and without the version that messages have had since 2008.
PROTOCOLS = {
    "in_python": TBinaryProtocolFactory(),
    "in_c": TBinaryProtocolAcceleratedFactory(),
    "not_strict": TBinaryProtocolFactory(strictRead=False, strictWrite=False),
}
# Kitex's, beyond those of Apache Thrift.
UNKNOWN_SERVICE = 20
# How long a call may take, in seconds.
PATIENCE = 20


def main(command, transport, address):
    host, port = address.rsplit(":", 1)
    if command == "serve":
        serve(TRANSPORTS[transport](), host, int(port))
    else:
        sys.exit(run_every_case(TRANSPORTS[transport](), host, int(port)))


class Listening(TServerSocket):
    def listen(self):
        super().listen()
        host, port = self.handle.getsockname()
        print(f"listening {host}:{port}", flush=True)


def serve(transport, host, port):
    logging.disable()  # of what handlers raise
    threading.Thread(target=end_with_stdin, daemon=True).start()
    processor = Interop.Processor(Handlers())
    TThreadedServer(processor, Listening(host, port), transport, TBinaryProtocolFactory(), daemon=True).serve()


def end_with_stdin():
    sys.stdin.read()
    os._exit(0)


class Handlers:
    """The methods that are not streams, for which Apache Thrift has no place."""

    def __init__(self):
        self.notes = []

    def Mirror(self, value):
        return value

    def Ping(self, packet):
        return packet

    def Get(self, key):
        if key == "missing":
            raise NotFound(key, 404)
        return Packet(1, b"", key)

    def Add(self, a, b):
        return (a + b + 2**63) % 2**64 - 2**63

    def Nothing(self):
        pass

    def Note(self, text):
        self.notes.append(text)

    def Notes(self):
        return self.notes

    def Fail(self, command):
        if command.what == "error":
            raise TApplicationException(TApplicationException.INTERNAL_ERROR, "boom")
        if command.what == "panic":
            raise RuntimeError("bang")
        return Packet(command.count, b"", command.what)


def run_every_case(transport, host, port):
    failed = 0
    for name, protocol in PROTOCOLS.items():
        for case in CASES:
            socket = TSocket(host, port)
            socket.setTimeout(PATIENCE * 1000)
            connection = transport.getTransport(socket)
            try:
                connection.open()
                case(Interop.Client(protocol.getProtocol(connection)))
                print(f"ok {case.__name__} {name}")
            except Exception as error:
                failed += 1
                print(f"FAIL {case.__name__} {name}: {error!r}")
            finally:
                connection.close()
    return failed


def ping(client, number=1, size=100):
    packet = Packet(number, bytes([number % 256]) * size, "täxt")
    assert client.Ping(packet) == packet


def ping_empty(client):
    ping(client, 0, 0)


def ping_1000(client):
    for number in range(1000):
        ping(client, number)


def ping_8mib(client):
    for number in range(2):
        ping(client, number, 8 << 20)


def pipelined(client):
    """Calls before the answers of those before them; every call of this library has the sequence number 0."""
    for number in range(20):
        client.send_Add(number, 1)
    assert [client.recv_Add() for _ in range(20)] == list(range(1, 21))


def mirror(client):
    for value in samples():
        got = client.Mirror(value)
        assert got == value, (got, value)
        # -0.0 equals 0.0 otherwise.
        assert struct.pack("d", got.ratio) == struct.pack("d", value.ratio)


def defaults(client):
    """What is not set is not sent here; what a server of another make has for it comes back."""
    assert client.Ping(Packet()) in [Packet(), Packet(0, b"", "")]
    got = client.Mirror(Everything(id=1))
    assert (got.id, got.limit, got.maybe_number, got.choice, got.parent) == (1, 10, None, None, None)


def get(client):
    assert client.Get("found").text == "found"


def declared_exception(client):
    error = fails(lambda: client.Get("missing"), NotFound)
    assert (error.key, error.code) == ("missing", 404)
    get(client)


def several_arguments(client):
    assert client.Add(2, 40) == 42
    assert client.Add(-(2**63), 2**63 - 1) == -1
    assert client.Add(2**63 - 1, 0) == 2**63 - 1


def void(client):
    assert client.Nothing() is None


def oneway(client):
    """Asks until the note is there: nothing orders a oneway call before the next one."""
    text, end = f"note {time.monotonic()}", time.monotonic() + PATIENCE
    client.Note(text)
    while text not in client.Notes():
        assert time.monotonic() < end, "it was never noted"


def handler_error(client):
    error = fails(lambda: client.Fail(Command("error", 0, 0)), TApplicationException)
    assert error.type == TApplicationException.INTERNAL_ERROR and "boom" in error.message, vars(error)
    ping(client)


def handler_panic(client):
    fails(lambda: client.Fail(Command("panic", 0, 0)), TApplicationException)
    ping(client)
    assert client.Fail(Command("nothing", 7, 0)).number == 7


def unknown_method(client):
    """As of Kitex the answer of streamx is that the service is unknown, which these transports do not name."""
    output = client._oprot
    output.writeMessageBegin("Absent", TMessageType.CALL, 0)
    Interop.Ping_args(Packet()).write(output)
    output.writeMessageEnd()
    output.trans.flush()
    error = fails(client.recv_Ping, TApplicationException)
    assert error.type in [TApplicationException.UNKNOWN_METHOD, UNKNOWN_SERVICE], vars(error)
    assert "Absent" in error.message, vars(error)
    ping(client)


def streaming_method(client):
    """It is in the schema, and the compiler takes it for an ordinary one."""
    fails(lambda: client.Echo(Packet()), TApplicationException)
    ping(client)


CASES = [
    ping, ping_empty, ping_1000, ping_8mib, pipelined, mirror, defaults, get, declared_exception, several_arguments,
    void, oneway, handler_error, handler_panic, unknown_method, streaming_method,
]


def fails(call, kind):
    try:
        got = call()
    except kind as error:
        return error
    raise AssertionError(f"it did not fail: {got}")


def samples():
    """Every type at its edges."""
    highest, lowest = edges(1), edges(-1)
    yield highest
    yield lowest
    for ratio in [float("inf"), float("-inf"), -0.0, 5e-324, 1.7976931348623157e308]:
        yield Everything(**{**vars(lowest), "ratio": ratio})
    # A number that the enum does not have, and text outside ASCII.
    yield Everything(**{**vars(lowest), "color": 4242, "text": "ß 中文 🦀 e\u0301 \0 \U0010ffff"})
    for choice in [Choice(text=""), Choice(number=-(2**63)), Choice(inner=Inner("chosen", -1))]:
        yield Everything(**{**vars(lowest), "choice": choice})
    yield long(highest)
    nested = highest
    for _ in range(19):
        nested = Everything(**{**vars(lowest), "parent": nested})
    yield nested


def edges(sign):
    """All fields at the highest of their values, or at the lowest."""
    at = lambda bits: 2 ** (bits - 1) - 1 if sign > 0 else -(2 ** (bits - 1))
    inner = Inner("inner" if sign > 0 else "", at(32))
    full = dict(
        flag=sign > 0, tiny=at(8), small=at(16), medium=at(32), large=at(64), ratio=sign * 1.5, text="text",
        blob=bytes(range(256)), color=Color.Green if sign > 0 else Color.Blue, inner=inner, numbers=[at(32), 0],
        words=["one", ""], inners=[inner, Inner("", 0)], unique={1, at(32)}, counts={"": 0, "most": at(64)},
        by_number={at(32): inner}, grid=[[1, 2], [], [at(32)]], limit=at(32), id=at(64),
    )
    if sign > 0:
        full.update(choice=Choice(text="chosen"), maybe_number=at(32), maybe_text="maybe", maybe_inner=inner)
    return Everything(**full)


def long(value):
    inner = lambda number: Inner("n" * (number % 7), number)
    return Everything(**{
        **vars(value), "text": "long " * 4000, "numbers": list(range(1000)), "unique": set(range(-999, 1)),
        "inners": [inner(number) for number in range(1000)], "grid": [[number, -number] for number in range(1000)],
        "counts": {"k" * number: number for number in range(500)},
        "by_number": {number: inner(number) for number in range(1000)},
    })


if __name__ == "__main__":
    main(*sys.argv[1:])
