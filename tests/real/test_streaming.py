"""Answers in pieces from a real server: over HTTP read by the standard library, over gRPC by tritonclient."""

from __future__ import annotations

import http.client
import json
import queue
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as tritongrpc

from modelyard.tasks.sequences import MOST_STREAMS
from tests.echo_package import POISON, echo_package
from tests.real.engine_package import engine_package
from tests.real.servers import Served, serving

pytestmark = pytest.mark.e2e

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "streaming.md").read_text("utf-8")
TEXT = "naïve café 流れる 🎬\n\r\u2028end"
LONG = "long " * 200  # a thousand steps
SLOW = 420  # side of the matrix that makes a step take some milliseconds


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("quick")
    with serving(folder, str(echo_package(folder / "p").path)) as served:
        yield served


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("slow")
    package = echo_package(folder / "p", work=SLOW, max_new_tokens=4096, texts=("ab",))
    with serving(folder, str(package.path)) as served:
        yield served


class Events:
    """A generate_stream request under way."""

    def __init__(self, served: Served, text: str, **more: Any) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", served.http, timeout=30)
        self.connection.request("POST", "/v2/models/echo/generate_stream", json.dumps({"text": text, **more}))
        self.response = self.connection.getresponse()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while (event := self.next()) is not None:
            yield event

    def next(self) -> dict[str, Any] | None:
        line = self.response.readline()
        if not line:
            self.close()
            return None
        assert self.response.readline() == b"\n"
        assert line.startswith(b"data: ")
        event: dict[str, Any] = json.loads(line.removeprefix(b"data: "))
        return event

    def close(self) -> None:
        self.response.close()
        self.connection.close()


class Stream:
    """A gRPC stream of tritonclient."""

    def __init__(self, served: Served) -> None:
        self.client = tritongrpc.InferenceServerClient(f"127.0.0.1:{served.grpc}")
        self.heard: queue.Queue[Any] = queue.Queue()
        self.client.start_stream(lambda result, error: self.heard.put(error or result))

    def ask(self, text: str, **named: Any) -> None:
        tensor = tritongrpc.InferInput("text", [1], "BYTES")
        tensor.set_data_from_numpy(np.array([text.encode()], dtype=object))
        self.client.async_stream_infer("echo", [tensor], **named)

    def all(self) -> list[tuple[str, str | None, bool | None]]:
        """Ends the stream: id, text and `triton_final_response` of every answer."""
        self.client.stop_stream()
        self.client.close()
        return [_shown(self.heard.get_nowait()) for _ in range(self.heard.qsize())]


def _shown(answer: Any) -> tuple[str, str | None, bool | None]:
    if isinstance(answer, Exception):
        return "error", str(answer), None
    response, texts = answer.get_response(), answer.as_numpy("text")
    final = response.parameters.get("triton_final_response")
    return response.id, None if texts is None else texts[0].decode(), None if final is None else final.bool_param


def until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.01)


def stats(served: Served) -> dict[str, Any]:
    shown: dict[str, Any] = served.ask("GET", "/v2/models/echo/stats").json["model_stats"][0]
    return shown


def under_way(served: Served) -> int:
    return int(stats(served)["streams_in_flight"])


def metric(served: Served, name: str) -> float:
    """Of one series, 0 when it is not there yet."""
    lines = served.ask("GET", "/metrics").body.decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def logged(served: Served, wanted: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Lines of the log, which is written behind the answers."""
    until(lambda: any(map(wanted, served.events())))
    return [event for event in served.events() if wanted(event)]


def generated(served: Served, text: str, **more: Any) -> Any:
    return served.ask("POST", "/v2/models/echo/generate", {"text": text, **more}).json


def test_generate_answers_plain_values(quick: Served) -> None:
    answer = generated(quick, TEXT, id="k")
    assert answer.pop("score") == pytest.approx(0.0, abs=1e-3)
    assert answer == {"id": "k", "model_name": "echo", "model_version": "1", "text": TEXT}
    many = quick.ask("POST", "/v2/models/echo/versions/1/generate", {"text": ["a", "bc"]})
    assert many.json["text"] == ["a", "bc"]


def test_pieces_are_whole_characters_and_together_the_answer(quick: Served) -> None:
    events = Events(quick, TEXT, id="k")
    assert events.response.status == 200
    assert events.response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert events.response.headers["x-modelyard-version"] == "1"
    heard = list(events)
    assert [event["text"] for event in heard] == list(TEXT)
    assert heard[0] == {"id": "k", "model_name": "echo", "model_version": "1", "text": TEXT[0]}


def test_a_connection_goes_on_behind_a_stream(quick: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", quick.http, timeout=30)
    for text in ("one", "two"):
        connection.request("POST", "/v2/models/echo/generate_stream", json.dumps({"text": text}))
        events = connection.getresponse().read().decode().split("\n\n")[:-1]
        assert "".join(json.loads(event.removeprefix("data: "))["text"] for event in events) == text
    connection.close()


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"text": ["a", "b"]}, 400, "a stream answers one item, not 2"),
        ({"text": " "}, 422, "the text is empty"),
        ({"txt": "a"}, 400, "'txt' is not known here"),
        ({"text": "a" * 200_000}, 422, "the limit is 100000"),
    ],
)
def test_what_is_wrong_from_the_start_is_a_plain_answer(
    quick: Served, body: dict[str, Any], status: int, message: str
) -> None:
    answer = quick.ask("POST", "/v2/models/echo/generate_stream", body)
    assert answer.status == status
    assert message in answer.json["error"]
    assert quick.ask("GET", "/v2/models/echo/generate_stream").status == 405
    assert quick.ask("POST", "/v2/models/nothing/generate", {"text": "a"}).status == 404


def test_what_fails_in_the_middle_is_the_last_event_and_the_server_goes_on(quick: Served) -> None:
    events = list(Events(quick, f"ab{POISON}cd"))
    assert [event.get("text") for event in events] == ["a", "b", POISON, None]
    assert "a fault of the server" in events[-1]["error"]
    assert generated(quick, "good")["text"] == "good"
    assert metric(quick, 'modelyard_requests_total{model="echo",protocol="http",status="500"') >= 1
    (stack,) = logged(quick, lambda event: "error.stack_trace" in event)
    assert stack["url.path"] == "/v2/models/echo/generate_stream"


def test_grpc_answers_in_pieces_where_it_is_asked_to_and_in_one_otherwise(quick: Served) -> None:
    stream = Stream(quick)
    stream.ask("héy", request_id="1", parameters={"stream": True}, enable_empty_final_response=True)
    stream.ask("héy", request_id="2")
    stream.ask(f"a{POISON}b", request_id="3", parameters={"stream": True})
    stream.ask("ok", request_id="4", parameters={"stream": True})
    pieces = [("1", "h", False), ("1", "é", False), ("1", "y", False), ("1", None, True), ("2", "héy", None)]
    heard = stream.all()
    assert heard[:5] == pieces
    assert heard[5:7] == [("3", "a", False), ("3", POISON, False)]
    assert heard[7][0] == "error"
    assert "a fault of the server" in (heard[7][1] or "")
    assert heard[8:] == [("4", "o", False), ("4", "k", False)]


def test_outputs_that_a_stream_does_not_answer_are_refused(quick: Served) -> None:
    stream = Stream(quick)
    for name in ("tokens", "score", "text"):
        output = tritongrpc.InferRequestedOutput(name)
        stream.ask("a", request_id=name, parameters={"stream": True}, outputs=[output])
    unknown, other, piece = stream.all()
    assert "no output tokens; its outputs: text, score" in (unknown[1] or "")
    assert "a stream answers the output text, not score" in (other[1] or "")
    assert piece == ("text", "a", False)


def test_streams_are_counted_and_logged(quick: Served) -> None:
    before = metric(quick, "modelyard_stream_pieces_total")
    list(Events(quick, "seven b"))
    assert metric(quick, "modelyard_stream_pieces_total") == before + 7
    assert metric(quick, "modelyard_stream_first_piece_seconds_count") >= 1
    (line,) = logged(quick, lambda event: event.get("modelyard.pieces") == 7)
    assert line["http.response.status_code"] == 200
    assert line["modelyard.first_piece_ms"] > 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="the guide asks with curl")
def test_the_guide_runs_as_it_is_written(quick: Served) -> None:
    """The model of this test says what it is told, by another name than that of the guide."""
    page = PAGE.replace("localhost:8000/v2/models/forms", f"127.0.0.1:{quick.http}/v2/models/echo")
    whole, pieces = [shlex.split(line) for line in page.splitlines() if line.startswith("curl ")]
    answer = json.loads(subprocess.run([*whole, "-s"], capture_output=True, check=True, timeout=30).stdout)
    assert answer["text"] == "digits: twenty-three"
    events = subprocess.run([*pieces, "-s"], capture_output=True, check=True, timeout=30).stdout.decode().split("\n\n")
    assert "".join(json.loads(event.removeprefix("data: "))["text"] for event in events[:-1]) == answer["text"]
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    program = program.replace("localhost:8001", f"127.0.0.1:{quick.grpc}").replace('"forms"', '"echo"')
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == (answer["text"], 0), done.stderr


def test_a_caller_that_hangs_up_ends_the_work(slow: Served) -> None:
    before = metric(slow, 'modelyard_requests_total{model="echo",protocol="http",status="499"')
    events = Events(slow, LONG)
    assert events.next() is not None
    assert under_way(slow) == 1
    events.close()
    until(lambda: under_way(slow) == 0)
    assert metric(slow, 'modelyard_requests_total{model="echo",protocol="http",status="499"') == before + 1


def test_a_grpc_caller_that_cancels_ends_the_work(slow: Served) -> None:
    stream = Stream(slow)
    stream.ask(LONG, parameters={"stream": True})
    stream.heard.get(timeout=15)
    assert under_way(slow) == 1
    stream.client.stop_stream(cancel_requests=True)
    stream.client.close()
    until(lambda: under_way(slow) == 0)
    assert metric(slow, 'modelyard_requests_total{model="echo",protocol="grpc",status="499"') == 1


def test_a_deadline_in_the_middle_is_the_last_event(slow: Served) -> None:
    events = list(Events(slow, LONG, parameters={"timeout": 300_000}))
    assert events[-1] == {"error": "not answered within 0.3 s"}
    assert 0 < len(events) - 1 < len(LONG)
    assert under_way(slow) == 0


def test_requests_and_streams_do_not_starve_each_other(slow: Served) -> None:
    streams = [Events(slow, LONG) for _ in range(MOST_STREAMS)]
    assert all(stream.next() is not None for stream in streams)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(Events, slow, "late")  # waits until one of the others ends
        until(lambda: under_way(slow) == MOST_STREAMS + 1)
        assert generated(slow, "soon")["text"] == "soon"
        assert all(stream.next() is not None for stream in streams)
        assert under_way(slow) == MOST_STREAMS + 1
        for stream in streams:
            stream.close()
        assert "".join(event["text"] for event in late.result(30)) == "late"
    until(lambda: under_way(slow) == 0)


def test_a_server_that_stops_lets_streams_come_to_their_end(tmp_path: Path) -> None:
    package = echo_package(tmp_path / "p", work=SLOW, texts=("ab",))
    with serving(tmp_path / "log", str(package.path)) as served:
        events = Events(served, "the end of it all")
        assert events.next() is not None
        served.process.send_signal(signal.SIGTERM)
        served.event("draining")
        late = served.ask("POST", "/v2/models/echo/generate_stream", {"text": "late"})
        assert (late.status, late.headers["retry-after"]) == (503, "1")
        assert "t" + "".join(event["text"] for event in events) == "the end of it all"
        assert served.process.wait(20) == 0


def test_one_that_is_told_twice_says_so_in_the_stream(tmp_path: Path) -> None:
    package = echo_package(tmp_path / "p", work=SLOW, texts=("ab",), max_new_tokens=4096)
    with serving(tmp_path / "log", str(package.path)) as served:
        events = Events(served, LONG)
        assert events.next() is not None
        served.process.send_signal(signal.SIGTERM)
        served.event("draining")
        served.process.send_signal(signal.SIGTERM)
        assert list(events)[-1] == {"error": "the server is stopping"}
        assert served.process.wait(20) == 0


def test_streams_of_an_engine_take_turns_and_end_with_their_callers_and_the_server(tmp_path: Path) -> None:
    package = engine_package(tmp_path)
    with serving(tmp_path / "log", str(package.path)) as served:
        assert stats(served)["variant"] == "ctranslate2"
        streams = [Events(served, text) for text in ("ab", "cd", "ef")]
        assert all(stream.next() is not None for stream in streams)
        streams[0].close()
        until(lambda: under_way(served) == 2)
        assert len(generated(served, "gh", parameters={"timeout": 30_000_000})["text"]) > 0
        served.process.send_signal(signal.SIGTERM)
        served.event("draining")
        served.process.send_signal(signal.SIGTERM)
        assert [list(stream)[-1] for stream in streams[1:]] == [{"error": "the server is stopping"}] * 2
        assert served.process.wait(20) == 0
