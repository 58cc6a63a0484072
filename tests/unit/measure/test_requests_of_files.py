from __future__ import annotations

from modelyard.measure.eager_handler import read_items
from modelyard.measure.examples import Examples
from modelyard.measure.load import request_body
from modelyard.tasks.tensor.datatypes import split_bytes

LENGTH = "Inference-Header-Content-Length"


def test_files_travel_by_the_binary_extension_and_texts_as_json():
    headers, body = request_body("image", [b"\xff\xd8 one", b""])
    head = int(headers[LENGTH])
    assert split_bytes(body[head:]) == [b"\xff\xd8 one", b""]
    assert read_items(body, headers[LENGTH]) == [b"\xff\xd8 one", b""]
    headers, body = request_body("text", ["schön"])
    assert LENGTH not in headers
    assert read_items(body, None) == ["schön"]


def test_a_request_of_an_example_is_its_text_or_its_file():
    assert Examples([{"image": b"\x89PNG"}], [[]], ["0"], {}).requests == [b"\x89PNG"]
    assert Examples([{"text": "good"}], ["positive"], ["0"], {}).requests == ["good"]
