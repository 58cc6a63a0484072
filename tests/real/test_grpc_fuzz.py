"""Ten thousand mutated requests over gRPC: each is refused by name or answered, none is a fault of the server."""

from __future__ import annotations

import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from tritonclient.grpc import service_pb2

from modelyard.store.artifacts import Package
from tests.packages import tiny_package
from tests.real.servers import Served, serving

pytestmark = pytest.mark.e2e

SEED = 20261125
MESSAGES = 10_000
IN_FLIGHT = 64
METHOD = "/inference.GRPCInferenceService/ModelInfer"
# OK: what a mutation left right is answered. RESOURCE_EXHAUSTED: a message over the limit, or a queue that is full.
ALLOWED = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
}
MEBI = 1 << 20
GROWTH = 24 * MEBI

Message = Any
Mutation = Callable[[random.Random], bytes]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return tiny_package(tmp_path_factory.mktemp("package") / "p")


@pytest.fixture
def server(package: Package, tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, str(package.path), "--no-access-log") as served:
        yield served


def typed(*texts: bytes) -> Message:
    message = service_pb2.ModelInferRequest(model_name="reviews", id="f")
    tensor = message.inputs.add(name="text", datatype="BYTES", shape=[len(texts)])
    tensor.contents.bytes_contents.extend(texts)
    return message


def raw(*texts: bytes) -> Message:
    message = service_pb2.ModelInferRequest(model_name="reviews")
    message.inputs.add(name="text", datatype="BYTES", shape=[len(texts)])
    message.raw_input_contents.append(b"".join(len(text).to_bytes(4, "little") + text for text in texts))
    return message


def tensors() -> Message:
    message = service_pb2.ModelInferRequest(model_name="reviews.tensor", model_version="1")
    for name, values in (("input_ids", [2, 4, 3, 2, 8, 3]), ("attention_mask", [1] * 6)):
        tensor = message.inputs.add(name=name, datatype="INT64", shape=[2, 3])
        tensor.contents.int64_contents.extend(values)
    message.outputs.add(name="logits")
    return message


VALID = (typed(b"good film"), typed(b"bad", b"the book was good"), raw(b"good", b"bad"), tensors())


def any_message(chance: random.Random) -> Message:
    message = service_pb2.ModelInferRequest()
    message.CopyFrom(chance.choice(VALID))
    return message


def bytes_changed(chance: random.Random) -> bytes:
    """Some bytes of a right message flipped, cut out, doubled or put in."""
    data = bytearray(any_message(chance).SerializeToString())
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(data) + 1)
        kind = chance.randrange(4)
        if kind == 0 and place < len(data):
            data[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del data[place : place + chance.randint(1, 8)]
        elif kind == 2:
            data[place:place] = data[place : place + chance.randint(1, 16)]
        else:
            data[place:place] = chance.randbytes(chance.randint(1, 8))
    return bytes(data)


def garbage(chance: random.Random) -> bytes:
    return chance.randbytes(chance.choice((0, 1, 7, 64, 1000, 65_536)))


def cut_off(chance: random.Random) -> bytes:
    data: bytes = any_message(chance).SerializeToString()
    return data[: chance.randrange(len(data))]


def shape_changed(chance: random.Random) -> bytes:
    message = any_message(chance)
    sizes = (-1, 0, 1, 2, 3, 63, 64, 65, 1 << 31, 1 << 40, (1 << 63) - 1, -(1 << 63))
    del message.inputs[0].shape[:]
    message.inputs[0].shape.extend(chance.choice(sizes) for _ in range(chance.choice((0, 1, 1, 2, 2, 3, 17, 500))))
    return bytes(message.SerializeToString())


def datatype_changed(chance: random.Random) -> bytes:
    message = any_message(chance)
    names = ("BOOL", "INT8", "UINT64", "FP16", "BF16", "FP32", "FP64", "BYTES", "INT64", "", "text", "B" * 5000)
    chance.choice(message.inputs).datatype = chance.choice(names)
    return bytes(message.SerializeToString())


def name_changed(chance: random.Random) -> bytes:
    message = any_message(chance)
    name = chance.choice(
        ("", "x", "text", "\u0000", "ü" * 100, "n" * 100_000, "reviews", "../..", "reviews.tensor.tensor")
    )
    part = chance.choice(("model_name", "model_version", "id", "input", "output"))
    if part == "input":
        message.inputs[0].name = name
    elif part == "output":
        message.outputs.add(name=name)
    else:
        setattr(message, part, name)
    return bytes(message.SerializeToString())


def raw_and_typed(chance: random.Random) -> bytes:
    message = any_message(chance)
    for _ in range(chance.randint(1, 3)):
        message.raw_input_contents.append(chance.randbytes(chance.choice((0, 3, 4, 8, 24, 48))))
    return bytes(message.SerializeToString())


def raw_that_lies(chance: random.Random) -> bytes:
    """Lengths of elements that are too long, too short, or cut off."""
    message = raw(b"good", b"bad")
    data = bytearray(message.raw_input_contents[0])
    data[chance.choice((0, 1, 2, 3, 8, 9, 10, 11))] = chance.randrange(256)
    message.raw_input_contents[0] = bytes(data[: chance.randint(0, len(data))])
    return bytes(message.SerializeToString())


def inputs_missing_or_more(chance: random.Random) -> bytes:
    message = any_message(chance)
    if chance.random() < 0.5:
        del message.inputs[chance.randrange(len(message.inputs))]
    else:
        message.inputs.add().CopyFrom(message.inputs[0])
    return bytes(message.SerializeToString())


def contents_changed(chance: random.Random) -> bytes:
    """Values that no text is, ids that no vocabulary has, values in the wrong field."""
    message = any_message(chance)
    contents = message.inputs[0].contents
    kind = chance.randrange(4)
    if kind == 0:
        contents.int64_contents.append(chance.choice((-1, 1 << 62, -(1 << 63), 7)))
    elif kind == 1:
        contents.fp32_contents.append(chance.choice((float("nan"), float("inf"), 1.0)))
    elif kind == 2 and contents.int64_contents:
        contents.int64_contents[0] = chance.choice((-1, 999_999, 1 << 62, -(1 << 63)))
    else:
        texts = (b"", b"\xff\xfe", b" ", b"a" * 200_000, b"\xed\xa0\x80", "😀".encode(), b"\x00")
        contents.bytes_contents.extend(chance.choice(texts) for _ in range(chance.randint(1, 3)))
        message.inputs[0].shape[0] = len(contents.bytes_contents)
    return bytes(message.SerializeToString())


def parameters_changed(chance: random.Random) -> bytes:
    message = any_message(chance)
    parameter = message.parameters[chance.choice(("timeout", "priority", "", "binary_data_output"))]
    kind = chance.randrange(5)
    if kind == 0:
        parameter.int64_param = chance.choice((0, 1, -1, (1 << 63) - 1, -(1 << 63)))
    elif kind == 1:
        parameter.double_param = chance.choice((float("nan"), float("inf"), -float("inf"), 1e308))
    elif kind == 2:
        parameter.string_param = chance.choice(("", "soon", "9" * 5000, "5"))
    elif kind == 3:
        parameter.bool_param = chance.random() < 0.5
    return bytes(message.SerializeToString())


MUTATIONS: tuple[Mutation, ...] = (
    *(bytes_changed, bytes_changed, bytes_changed, garbage, cut_off, shape_changed, datatype_changed, name_changed),
    *(raw_and_typed, raw_that_lies, inputs_missing_or_more, contents_changed, parameters_changed),
)


def resident(served: Served) -> int:
    """Bytes of memory that the server holds."""
    return int(Path(f"/proc/{served.process.pid}/statm").read_text().split()[1]) * 4096


def send(channel: grpc.Channel, seed: int, count: int) -> tuple[Counter[grpc.StatusCode], list[str]]:
    """Mutations IN_FLIGHT at a time, a right request after each such lot. Answers the codes, and what was wrong."""
    chance = random.Random(seed)
    call = channel.unary_unary(METHOD, request_serializer=None, response_deserializer=None)
    codes: Counter[grpc.StatusCode] = Counter()
    wrong: list[str] = []
    right = typed(b"good", b"bad").SerializeToString()
    for first in range(0, count, IN_FLIGHT):
        lot = [(mutation, mutation(chance)) for mutation in chance.choices(MUTATIONS, k=min(IN_FLIGHT, count - first))]
        futures = [call.future(data, timeout=30) for _, data in lot]
        known = call.future(right, timeout=30)
        for (mutation, data), future in zip(lot, futures, strict=True):
            code = future.code()
            codes[code] += 1
            if code not in ALLOWED or (code != grpc.StatusCode.OK and not future.details()):
                wrong.append(f"{mutation.__name__} {data[:200]!r}: {code} {future.details()}")
        answer = service_pb2.ModelInferResponse.FromString(known.result())
        assert list(answer.outputs[0].contents.bytes_contents) == [b"positive", b"negative"]
    return codes, wrong


def test_ten_thousand_mutated_messages_find_no_fault(
    server: Served, record_property: Callable[[str, object], None]
) -> None:
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc}", options=options) as channel:
        send(channel, SEED + 1, 2000)  # what is allocated once
        before = resident(server)
        codes, wrong = send(channel, SEED, MESSAGES)
    grown = resident(server) - before
    shown = {code.name: count for code, count in codes.most_common()}
    record_property("codes", shown)
    record_property("resident", f"{before / MEBI:.1f} MiB, {grown / MEBI:+.1f}")
    assert wrong == []
    assert sum(codes.values()) == MESSAGES
    # Both kinds came: a fuzz whose every message fails at the first byte tests little.
    assert codes[grpc.StatusCode.OK] > MESSAGES / 50
    assert codes[grpc.StatusCode.INVALID_ARGUMENT] > MESSAGES / 5
    assert grown < GROWTH
    assert server.infer("good").status == 200
    lines = server.log.read_text().splitlines()
    assert [line for line in lines if not line.startswith("{") or '"log.level":"error"' in line] == []


@pytest.mark.parametrize(
    ("mutated", "code", "part"),
    [
        (b"\xff\xff\xff", "INVALID_ARGUMENT", "the 3 bytes are no ModelInferRequest"),
        (b"", "NOT_FOUND", "there is no model ''"),
        (typed(b"a" * 100_001).SerializeToString(), "INVALID_ARGUMENT", "item 0: text has 100001 bytes, the limit is"),
        (typed(*[b"a"] * 65).SerializeToString(), "INVALID_ARGUMENT", "65 items in one request, the limit is 64"),
        (b"\x00" * (33 * MEBI), "RESOURCE_EXHAUSTED", "larger than max"),
    ],
    ids=["no message", "nothing", "a long text", "many texts", "33 MiB"],
)
def test_what_is_wrong_is_said(server: Served, mutated: bytes, code: str, part: str) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc}") as channel:
        call = channel.unary_unary(METHOD, request_serializer=None, response_deserializer=None)
        with pytest.raises(grpc.RpcError) as caught:
            call(mutated, timeout=10)
    assert caught.value.code().name == code
    assert part in caught.value.details()


def test_a_stream_goes_on_after_bytes_that_are_no_message(server: Served) -> None:
    path = "/inference.GRPCInferenceService/ModelStreamInfer"
    right = typed(b"good").SerializeToString()
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc}") as channel:
        call = channel.stream_stream(path, request_serializer=None, response_deserializer=None)
        answers = [
            service_pb2.ModelStreamInferResponse.FromString(data)
            for data in call(iter([right, b"\xff\xff", right]), timeout=10)
        ]
    assert [bool(answer.error_message) for answer in answers] == [False, True, False]
    assert list(answers[2].infer_response.outputs[0].contents.bytes_contents) == [b"positive"]


def test_bytes_that_are_no_http_2_close_one_connection_only(server: Served) -> None:
    """Below gRPC: garbage on the socket itself, and frames that are cut off."""
    chance = random.Random(SEED)
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    for number in range(200):
        with socket.create_connection(("127.0.0.1", server.grpc), timeout=10) as caller:
            start = preface if number % 2 else b""
            caller.sendall(start + chance.randbytes(chance.choice((1, 9, 100, 5000))))
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc}") as channel:
        started = time.monotonic()
        call = channel.unary_unary(METHOD, request_serializer=None, response_deserializer=None)
        assert call(typed(b"good").SerializeToString(), timeout=10)
        assert time.monotonic() - started < 5
