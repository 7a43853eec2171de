"""The TestService of gRPC's interop tests in Python, from the schema that a service of streamx prints.

    peer.py serve [CERTIFICATE KEY]     serves on a free port, which it prints to stderr
    peer.py client PORT [ROOTS]         runs every case, each of which prints "ok CASE" or "FAIL CASE: why"
"""

import queue
import sys
import time
from concurrent import futures
from pathlib import Path

import grpc
from google.protobuf import any_pb2
from google.rpc import status_pb2
from grpc_status import rpc_status

sys.path.insert(0, str(Path(__file__).parent))
messages, services = grpc.protos_and_services("test_service.proto")

INITIAL, TRAILING = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"
# The text of a status that is to have itself as a detail.
WITH_DETAILS = "with details"
REQUESTS, RESPONSES = [27182, 8, 1828, 45904], [31415, 9, 2653, 58979]
LARGE_REQUEST, LARGE_RESPONSE = 271828, 314159
# How long a call may take, in seconds.
PATIENCE = 20


def main(command, *arguments):
    if command == "serve":
        serve(*arguments)
    else:
        sys.exit(run_every_case(*arguments))


def serve(*files):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    services.add_TestServiceServicer_to_server(TestService(), server)
    if files:
        certificate, key = (Path(file).read_bytes() for file in files)
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"listening on 127.0.0.1:{port}", file=sys.stderr, flush=True)
    server.wait_for_termination()


class TestService(services.TestServiceServicer):
    def EmptyCall(self, request, context):
        return messages.Empty()

    def UnaryCall(self, request, context):
        echo_metadata(context)
        end_with(request, context)
        return messages.SimpleResponse(payload=zeros(request.response_size))

    def StreamingOutputCall(self, request, context):
        end_with(request, context)
        yield from responses(request)

    def StreamingInputCall(self, requests, context):
        size = sum(len(request.payload.body) for request in requests)
        return messages.StreamingInputCallResponse(aggregated_payload_size=size)

    def FullDuplexCall(self, requests, context):
        echo_metadata(context)
        for request in requests:
            end_with(request, context)
            yield from responses(request)

    def HalfDuplexCall(self, requests, context):
        for request in list(requests):
            yield from responses(request)


def echo_metadata(context):
    told = dict(context.invocation_metadata())
    if INITIAL in told:
        context.send_initial_metadata([(INITIAL, told[INITIAL])])
    if TRAILING in told:
        context.set_trailing_metadata([(TRAILING, told[TRAILING])])


def end_with(request, context):
    wanted = request.response_status
    if wanted.code and wanted.message == WITH_DETAILS:
        context.abort_with_status(rpc_status.to_status(with_itself(wanted)))
    if wanted.code:
        code = next(code for code in grpc.StatusCode if code.value[0] == wanted.code)
        context.abort(code, wanted.message)


def with_itself(status):
    detail = any_pb2.Any()
    detail.Pack(status)
    return status_pb2.Status(code=status.code, message=status.message, details=[detail])


def responses(request):
    for wanted in request.response_parameters:
        time.sleep(wanted.interval_us / 1e6)
        yield messages.StreamingOutputCallResponse(payload=zeros(wanted.size))


def zeros(size):
    return messages.Payload(body=bytes(size))


def run_every_case(port, roots=None):
    address, failed = f"127.0.0.1:{port}", 0
    if roots:
        channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(Path(roots).read_bytes()))
    else:
        channel = grpc.insecure_channel(address)
    with channel:
        for case in CASES:
            try:
                case(services.TestServiceStub(channel), channel)
                print(f"ok {case.__name__}")
            except Exception as error:
                failed += 1
                print(f"FAIL {case.__name__}: {error!r}")
    return failed


def empty_unary(client, _):
    assert client.EmptyCall(messages.Empty(), timeout=PATIENCE) == messages.Empty()


def large_unary(client, _):
    response = client.UnaryCall(large_request(), timeout=PATIENCE)
    assert response.payload.body == bytes(LARGE_RESPONSE)


def client_streaming(client, _):
    requests = (messages.StreamingInputCallRequest(payload=zeros(size)) for size in REQUESTS)
    assert client.StreamingInputCall(requests, timeout=PATIENCE).aggregated_payload_size == 74922


def server_streaming(client, _):
    got = client.StreamingOutputCall(asking(RESPONSES), timeout=PATIENCE)
    assert [len(response.payload.body) for response in got] == RESPONSES


def ping_pong(client, _):
    requests = Requests()
    got = client.FullDuplexCall(requests, timeout=PATIENCE)
    for request, response in zip(REQUESTS, RESPONSES):
        requests.send(asking([response], request))
        assert len(next(got).payload.body) == response
    requests.close()
    assert list(got) == []


def empty_stream(client, _):
    assert list(client.FullDuplexCall(iter([]), timeout=PATIENCE)) == []


def half_duplex(client, _):
    got = client.HalfDuplexCall(iter([asking([size]) for size in RESPONSES]), timeout=PATIENCE)
    assert [len(response.payload.body) for response in got] == RESPONSES


def timeout_on_sleeping_server(client, _):
    got = client.FullDuplexCall(Requests(), timeout=0.001)
    ends_with(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: next(got))


def cancel_after_begin(client, _):
    call = client.StreamingInputCall.future(Requests(), timeout=PATIENCE)
    call.cancel()
    assert call.cancelled() and call.code() == grpc.StatusCode.CANCELLED


def cancel_after_first_response(client, _):
    requests = Requests()
    got = client.FullDuplexCall(requests, timeout=PATIENCE)
    requests.send(asking([31415], 27182))
    assert len(next(got).payload.body) == 31415
    got.cancel()
    ends_with(grpc.StatusCode.CANCELLED, lambda: next(got))


def status_code_and_message(client, _):
    status = messages.EchoStatus(code=2, message="test status message")
    unary = lambda: client.UnaryCall(messages.SimpleRequest(response_status=status), timeout=PATIENCE)
    requests = lambda: iter([messages.StreamingOutputCallRequest(response_status=status)])
    for call in unary, lambda: next(client.FullDuplexCall(requests(), timeout=PATIENCE)):
        ends_with(grpc.StatusCode.UNKNOWN, call, "test status message")


def special_status_message(client, _):
    message = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"
    status = messages.EchoStatus(code=2, message=message)
    call = lambda: client.UnaryCall(messages.SimpleRequest(response_status=status), timeout=PATIENCE)
    ends_with(grpc.StatusCode.UNKNOWN, call, message)


def status_details(client, _):
    status = messages.EchoStatus(code=5, message=WITH_DETAILS)
    unary = lambda: client.UnaryCall(messages.SimpleRequest(response_status=status), timeout=PATIENCE)
    requests = lambda: iter([messages.StreamingOutputCallRequest(response_status=status)])
    for call in unary, lambda: next(client.FullDuplexCall(requests(), timeout=PATIENCE)):
        error = ends_with(grpc.StatusCode.NOT_FOUND, call, WITH_DETAILS)
        # It fails unless code and text of the details are those of the status.
        assert rpc_status.from_call(error) == with_itself(status), error


def custom_metadata(client, _):
    initial, trailing = (INITIAL, "test_initial_metadata_value"), (TRAILING, b"\n\x0b\n\x0b\n\x0b")
    _, call = client.UnaryCall.with_call(large_request(), metadata=[initial, trailing], timeout=PATIENCE)
    assert initial in call.initial_metadata() and trailing in call.trailing_metadata()
    requests = iter([asking([LARGE_RESPONSE], LARGE_REQUEST)])
    call = client.FullDuplexCall(requests, metadata=[initial, trailing], timeout=PATIENCE)
    assert initial in call.initial_metadata()
    assert [len(response.payload.body) for response in call] == [LARGE_RESPONSE]
    assert trailing in call.trailing_metadata()


def unimplemented_method(_, channel):
    ends_with_unimplemented(channel, "/grpc.testing.TestService/UnimplementedCall")


def unimplemented_service(_, channel):
    ends_with_unimplemented(channel, "/grpc.testing.UnimplementedService/UnimplementedCall")


CASES = [
    empty_unary, large_unary, client_streaming, server_streaming, ping_pong, empty_stream, half_duplex,
    timeout_on_sleeping_server, cancel_after_begin, cancel_after_first_response, status_code_and_message,
    special_status_message, status_details, custom_metadata, unimplemented_method, unimplemented_service,
]


class Requests:
    """An iterator over what is sent to it."""

    def __init__(self):
        self.queue = queue.SimpleQueue()

    def send(self, request):
        self.queue.put(request)

    def close(self):
        self.queue.put(None)

    def __iter__(self):
        return self

    def __next__(self):
        request = self.queue.get()
        if request is None:
            raise StopIteration
        return request


def large_request():
    return messages.SimpleRequest(response_size=LARGE_RESPONSE, payload=zeros(LARGE_REQUEST))


def asking(sizes, size=0):
    wanted = [messages.ResponseParameters(size=size) for size in sizes]
    return messages.StreamingOutputCallRequest(response_parameters=wanted, payload=zeros(size))


def ends_with_unimplemented(channel, path):
    call = channel.unary_unary(path)
    ends_with(grpc.StatusCode.UNIMPLEMENTED, lambda: call(b"", timeout=PATIENCE))


def ends_with(code, call, message=None):
    try:
        got = call()
    except grpc.RpcError as error:
        assert error.code() == code, error
        assert message is None or error.details() == message, error
        return error
    else:
        raise AssertionError(f"it did not fail: {got}")


if __name__ == "__main__":
    main(*sys.argv[1:])
