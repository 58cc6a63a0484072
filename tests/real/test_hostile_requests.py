"""Requests that a server must stand over HTTP: each a clear error with the right status, the server up."""

from __future__ import annotations

import gzip
import json
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.hostile_server import MEBI, server, unharmed
from tests.real.raw_http import GOOD, INFER, ask, good, head, infer_body, of_texts, posted
from tests.real.servers import Served

__all__ = ["server", "unharmed"]  # fixtures

pytestmark = pytest.mark.e2e


def element(text: bytes, said: int | None = None) -> bytes:
    """A BYTES element whose length may lie."""
    return struct.pack("<I", len(text) if said is None else said) + text


def binary(raw: bytes, *, size: object = None, shape: int = 1, length: object = None, tail: bytes = b"") -> bytes:
    """A request with binary data: size is its binary_data_size, length its Inference-Header-Content-Length."""
    tensor = {"name": "text", "datatype": "BYTES", "shape": [shape]}
    tensor["parameters"] = {"binary_data_size": len(raw) if size is None else size}
    top = json.dumps({"inputs": [tensor]}).encode()
    said = len(top) if length is None else length
    return posted(top + raw + tail, f"inference-header-content-length: {said}")


BRACKETS = b"[" * 100_000 + b"]" * 100_000

BODIES: dict[str, tuple[bytes, int, str]] = {
    # what it is: (body, status, what the message names)
    "nothing": (b"", 400, "not JSON"),
    "half an object": (b'{"inputs": [', 400, "line 1 column"),
    "a list": (b"[]", 400, "must be a JSON object"),
    "100,000 brackets": (BRACKETS, 400, "depth limit"),
    "100,000 brackets as the data": (b'{"inputs":[{"name":"text","data":' + BRACKETS + b"}]}", 400, "depth limit"),
    "900 brackets as the datatype": (infer_body().replace(b'"BYTES"', b"[" * 900 + b"]" * 900), 400, "no datatype [[["),
    "900 brackets as the shape": (infer_body().replace(b"[1]", b"[" * 900 + b"]" * 900), 400, "text: shape must be"),
    "900 brackets as the data": (infer_body().replace(b'["good"]', b"[" * 900 + b"]" * 900), 400, "input text: "),
    "eleven million lists": (b'{"inputs":[' + b"[]," * 11_000_000 + b"[]]}", 400, "more than 1000000 lists"),
    "NaN": (infer_body().replace(b'"good"', b"NaN"), 400, "not JSON"),
    "Infinity": (infer_body().replace(b"[1]", b"[Infinity]"), 400, "not JSON"),
    "a lone surrogate": (infer_body().replace(b"good", rb"\ud800"), 400, "surrogate"),
    "half a pair and a letter": (infer_body().replace(b"good", rb"\ud83dA"), 400, "surrogate"),
    "bytes that are not UTF-8": (infer_body().replace(b"good", b"\xff\xfe"), 400, "UTF-8"),
    "GBK": (infer_body().replace(b"good", "很好".encode("gbk")), 400, "UTF-8"),
    "UTF-16": (infer_body().decode().encode("utf-16"), 400, "not JSON"),
    "a NUL byte between values": (infer_body().replace(b": ", b":\x00", 1), 400, "not JSON"),
    "two objects": (infer_body() * 2, 400, "after document"),
    "a number of 400 digits as the shape": (infer_body().replace(b"[1]", b"[" + b"9" * 400 + b"]"), 400, "not JSON"),
    "2^64 as the shape": (infer_body(shape=[2**64]), 400, "shape must be a list of numbers from 0"),
    "2^62 squared as the shape": (infer_body(shape=[2**62, 2**62]), 400, "no tensor is as large as shape"),
    "0 times 2^62 as the shape": (infer_body(shape=[0, 2**62], data=[]), 400, "no tensor is as large as shape"),
    "1,000 axes": (infer_body(shape=[1] * 1000), 400, "shape has 1000 axes, the limit is 16"),
    "-1 as the shape": (infer_body(shape=[-1]), 400, "input text: shape must be a list of numbers from 0"),
    "1.0 as the shape": (infer_body(shape=[1.0]), 400, "input text: shape must be a list of numbers from 0"),
    "true as the shape": (infer_body(shape=[True]), 400, "input text: shape must be a list of numbers from 0"),
    "text as the shape": (infer_body(shape="-1"), 400, "input text: shape must be a list"),
    "another shape": (infer_body(shape=[3]), 400, "input text: shape [3] holds 3 elements, data has 1"),
    "two axes": (infer_body(shape=[1, 2], data=["a", "b"]), 400, "input text: its shape is [-1]"),
    "numbers for text": (infer_body(data=[1]), 400, "input text: data holds 1, which is not BYTES"),
    "null for text": (infer_body(data=[None]), 400, "input text: data holds None"),
    "another datatype": (infer_body(datatype="FP32", data=[1.0]), 400, "input text: its datatype is BYTES, not FP32"),
    "no such datatype": (infer_body(datatype="TEXT"), 400, "input text: there is no datatype 'TEXT'"),
    "a datatype of 10 MB": (infer_body(datatype="B" * 10_000_000), 400, "input text: there is no datatype 'BBB"),
    "a name of 10 MB": (infer_body(name="n" * 10_000_000), 400, "an input has a name of 10000000 characters"),
    "a number as the name": (infer_body(name=5), 400, "its name is 5"),
    "another input": (infer_body(name="image"), 400, "has no input image; its inputs: text"),
    "the input twice": (json.dumps({"inputs": GOOD["inputs"] * 2}).encode(), 400, "input text is given twice"),
    "no inputs": (json.dumps({"inputs": []}).encode(), 400, 'no "inputs"'),
    "another output": (json.dumps({**GOOD, "outputs": [{"name": "logits"}]}).encode(), 400, "has no output logits"),
    "outputs as text": (json.dumps({**GOOD, "outputs": "label"}).encode(), 400, "outputs must be a list"),
    "an id of 10 MB": (json.dumps({**GOOD, "id": "i" * 10_000_000}).encode(), 400, "id has 10000000 characters"),
    "a number as the id": (json.dumps({**GOOD, "id": 7}).encode(), 400, "id must be a string, not 7"),
    "a timeout in words": (json.dumps({**GOOD, "parameters": {"timeout": "soon"}}).encode(), 400, "timeout"),
    "parameters as a list": (json.dumps({**GOOD, "parameters": []}).encode(), 400, "parameters of the request"),
    "no text": (infer_body(data=[""]), 422, "item 0: the text is empty"),
    "blank text": (of_texts("a", "\t \n"), 422, "item 1: the text is empty"),
    "zero texts": (infer_body(shape=[0], data=[]), 400, "holds no item"),
    "10,000 texts": (of_texts(*["good"] * 10_000), 400, "10000 items in one request, the limit is 64"),
    "1 MB of text": (of_texts("good " * 200_000), 422, "item 0: text has 1000000 bytes, the limit is 100000"),
    "33 MB": (b" " * (33 * MEBI), 413, f"larger than {32 * MEBI} bytes"),
}


@pytest.mark.parametrize("what", BODIES)
def test_a_body_that_cannot_be_used_is_named(server: Served, what: str) -> None:
    body, status, part = BODIES[what]
    heard = ask(server.http, posted(body))
    assert (heard.status, heard.headers["content-type"]) == (status, "application/json")
    assert part in heard.error
    assert len(heard.body) < 1200


def test_what_is_odd_but_right_is_answered(server: Served) -> None:
    for text in ("😀👍🏽🏳️‍🌈", "\u202e good \u0000", "善" * 30_000, "good " * 19_000, "\U0010ffff"):
        heard = ask(server.http, posted(of_texts(text)))
        assert heard.status == 200, text[:20]
        assert json.loads(heard.body)["outputs"][0]["data"][0] in ("positive", "negative")
    with_bom = ask(server.http, posted(b"\xef\xbb\xbf" + infer_body()))
    assert json.loads(with_bom.body)["outputs"][0]["data"] == ["positive"]
    # Of a key given twice the last one counts, as in every JSON reader that a client is likely to use.
    doubled = infer_body().replace(b'"data": ["good"]', b'"data": ["good"], "data": ["bad"]')
    assert json.loads(ask(server.http, posted(doubled)).body)["outputs"][0]["data"] == ["negative"]


BINARIES: dict[str, tuple[bytes, int, str]] = {
    "a header length in words": (binary(b"", length="ten"), 400, "Inference-Header-Content-Length must be a number"),
    "a negative one": (binary(b"", length=-1), 400, "Inference-Header-Content-Length must be a number from 0"),
    "one of 4,000 digits": (binary(b"", length="9" * 4000), 400, "Inference-Header-Content-Length must be a number"),
    "one beyond the body": (binary(b"", length=1 << 40), 400, "Inference-Header-Content-Length is 1099511627776, the"),
    "one too short": (binary(element(b"good"), length=5), 400, "not JSON"),
    "zero": (binary(element(b"good"), length=0), 400, "not JSON"),
    "a size beyond the data": (binary(element(b"good"), size=9999), 400, "binary_data_size is 9999, 8 bytes"),
    "a negative size": (binary(element(b"good"), size=-8), 400, "binary_data_size is -8"),
    "a size in words": (binary(element(b"good"), size="8"), 400, "binary_data_size is '8'"),
    "data of nobody": (binary(element(b"good"), tail=b"x" * 9), 400, "9 bytes of binary data belong to no input"),
    "an element beyond the data": (binary(element(b"good", 4_000_000_000)), 400, "element of 4000000000 bytes is cut"),
    "an element too short": (binary(element(b"good", 2)), 400, "input text: "),
    "half a length": (binary(element(b"good") + b"\x00\x00"), 400, "in the middle of an element's length"),
    "fewer elements": (binary(element(b"good"), shape=2), 400, "shape [2] holds 2 elements, data has 1"),
    "bytes that are no text": (binary(element(b"go\xffod")), 422, "item 0: the text is not UTF-8: byte 2 is 0xff"),
    "an empty element": (binary(element(b"")), 422, "item 0: the text is empty"),
    "five million empty elements": (binary(element(b"") * 5_000_000, shape=5_000_000), 400, "the limit is 64"),
}


@pytest.mark.parametrize("what", BINARIES)
def test_binary_data_that_lies_is_named(server: Served, what: str) -> None:
    data, status, part = BINARIES[what]
    heard = ask(server.http, data)
    assert heard.status == status
    assert part in heard.error


def packed(body: bytes, encoding: str) -> bytes:
    return posted(body, f"content-encoding: {encoding}")


BOMB = zlib.compress(b" " * (1 << 30), 9)
ODD: dict[str, tuple[bytes, int, str]] = {
    "a gigabyte in a megabyte": (packed(BOMB, "deflate"), 413, "larger than 33554432 bytes when unpacked"),
    "gzip that is none": (packed(infer_body(), "gzip"), 400, "the body is not gzip"),
    "gzip cut off": (packed(gzip.compress(infer_body())[:-9], "gzip"), 400, "the gzip body is cut off"),
    "an unknown encoding": (packed(infer_body(), "br"), 400, "Content-Encoding 'br' is not known"),
    "two encodings": (packed(infer_body(), "gzip, gzip"), 400, "Content-Encoding 'gzip, gzip' is not known"),
    "a form": (good("content-type: multipart/form-data; boundary=x"), 415, "Content-Type 'multipart/form-data'"),
    "another charset": (good("content-type: application/json; charset=GBK"), 415, "charset 'gbk': send UTF-8"),
    "an unknown model": (posted(infer_body(), path="/v2/models/none/infer"), 404, "no model 'none'; models here: rev"),
    "a model of 4,000 letters": (posted(b"", path=f"/v2/models/{'m' * 4000}/infer"), 404, "no model 'mmm"),
    "an unknown version": (posted(b"", path="/v2/models/reviews/versions/9/infer"), 404, "no version '9'; versions"),
    "an unknown label": (posted(b"{}", path="/v1/models/reviews/labels/x:predict"), 404, "has no label 'x'"),
    "../": (head("GET", "/v2/../../etc/passwd"), 404, "there is nothing at '/v2/../../etc/passwd'"),
    "%2e%2e%2f": (head("GET", "/%2e%2e%2f%2e%2e%2fetc/passwd"), 404, "there is nothing at"),
    "a slash in a name": (posted(infer_body(), path="/v2/models/a%2Fb/infer"), 404, "there is no model 'a/b'"),
    "a NUL in a name": (head("GET", "/v2/models/a%00b"), 404, "there is no model 'a\\x00b'"),
    "a name that is not UTF-8": (head("GET", "/v2/models/%ff%fe"), 404, "there is no model"),
    "a broken escape": (head("GET", "/v2/models/%zz"), 404, "there is no model '%zz'"),
    "a path of 9,000 bytes": (head("GET", "/" + "a" * 9000), 414, "the URL has 9001 bytes, the limit is 8192"),
    "a query of 9,000 bytes": (head("GET", "/v2?" + "a" * 9000), 414, "the URL has 9004 bytes"),
    "GET where POST belongs": (head("GET", INFER), 405, "GET is not answered here, use POST"),
    "OPTIONS": (head("OPTIONS", "/v2"), 405, "OPTIONS is not answered here, use GET or HEAD"),
    "DELETE": (head("DELETE", "/v2/models/reviews"), 405, "DELETE is not answered here"),
    "TRACE of health": (head("TRACE", "/v2/health/ready"), 405, "TRACE is not answered here"),
    "a method of nobody": (head("BREW", "/v2"), 405, "the method BREW is not known here"),
    "101 headers": (head("GET", "/v2", *[f"x-{n}: y" for n in range(101)]), 431, "has 102 headers, the limit is 100"),
    "40 kB of headers": (head("GET", "/v2", *[f"x-{n}: {'y' * 900}" for n in range(45)]), 431, "limit is 32768"),
    "one header of 40 kB": (head("GET", "/v2", f"x: {'y' * 40_000}"), 431, "limit is 32768"),
    "no HTTP": (b"hello there\r\n\r\n", 400, "this is not an HTTP/1.1 request"),
    "TLS": (bytes.fromhex("160301020001000001fc0303") + b"\x01" * 500, 400, "this is not an HTTP/1.1 request"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "this is not an HTTP/1.1 request"),
    "HTTP/9.9": (head("GET", "/v2", version="HTTP/9.9"), 400, "this is not an HTTP/1.1 request"),
    "a header without a colon": (head("GET", "/v2", "what is this"), 400, "this is not an HTTP/1.1 request"),
    "a NUL in a header": (head("GET", "/v2", "x: a\x00b"), 400, "this is not an HTTP/1.1 request"),
    "two lengths": (head("POST", INFER, "content-length: 5", "content-length: 6") + b"x" * 6, 400, "not an HTTP/1.1"),
    "a length and chunks": (
        head("POST", INFER, "content-length: 5", "transfer-encoding: chunked") + b"0\r\n\r\n",
        400,
        "not an HTTP/1.1 request",
    ),
    "a negative length": (head("POST", INFER, "content-length: -1"), 400, "this is not an HTTP/1.1 request"),
    "a length of 2^70": (head("POST", INFER, f"content-length: {2**70}"), 400, "this is not an HTTP/1.1 request"),
    "a length of a terabyte": (head("POST", INFER, f"content-length: {1 << 40}"), 413, "larger than 33554432 bytes"),
    "chunks that are none": (head("POST", INFER, "transfer-encoding: chunked") + b"zz\r\n", 400, "not an HTTP/1.1"),
    "a path that is not ASCII": (b"GET /v2/models/\xe5\xa5\xbd HTTP/1.1\r\nhost: x\r\n\r\n", 400, "not an HTTP/1.1"),
}


@pytest.mark.parametrize("what", ODD)
def test_a_request_that_cannot_be_used_is_named(server: Served, what: str) -> None:
    data, status, part = ODD[what]
    heard = ask(server.http, data)
    assert (heard.status, heard.headers["content-type"]) == (status, "application/json")
    assert part in heard.error
    assert ("allow" in heard.headers) == (status == 405)


def test_allow_says_what_would_have_done(server: Served) -> None:
    for path, allow in ((INFER, "POST"), ("/v2", "GET, HEAD"), ("/v2/repository/index", "POST, GET")):
        assert ask(server.http, head("PUT", path)).headers["allow"] == allow
    for path in ("/v2", "/metrics", "/v2/models/reviews", "/v2/health/ready"):
        heard = ask(server.http, head("HEAD", path), "HEAD")
        assert (heard.status, heard.body) == (200, b"")


def test_hostile_headers_stay_out_of_answers_and_logs(server: Served) -> None:
    lines = ("x-request-id: a\tb", f"x-modelyard-user: {'u' * 5000}", "authorization: Bearer 12\xff34")
    heard = ask(server.http, good(*lines))
    assert heard.status == 200
    assert len(heard.headers["x-request-id"]) == 32
    until = time.monotonic() + 5
    while not (found := [e for e in server.events() if e.get("trace.id") == heard.headers["x-request-id"]]):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert found[0]["user.id"] == "u" * 128


def resident(served: Served) -> int:
    """Bytes of memory that the server holds."""
    return int(Path(f"/proc/{served.process.pid}/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("round_of", [BODIES, BINARIES, ODD], ids=["bodies", "binary", "odd"])
def test_memory_is_flat_after_ten_rounds_of_all_that(
    server: Served, round_of: dict[str, tuple[bytes, int, str]], record_property: Callable[[str, object], None]
) -> None:
    def once() -> None:
        for data, _, _ in round_of.values():
            if len(data) < 2 * MEBI:
                ask(server.http, data if round_of is not BODIES else posted(data))

    for _ in range(3):  # what is allocated once
        once()
    before = resident(server)
    for _ in range(10):
        once()
    grown = resident(server) - before
    record_property("resident", f"{before / MEBI:.0f} MiB, {grown / MEBI:+.1f} in {10 * len(round_of)} requests")
    assert grown < 32 * MEBI
