"""A server asked over gRPC by tritonclient."""

from __future__ import annotations

import grpc
import numpy as np
import pytest
import tritonclient.grpc as tritongrpc
import tritonclient.http as tritonhttp
from tritonclient.utils import InferenceServerException

from tests.packages import TEXTS
from tests.real.servers import Served
from tests.real.triton_clients import EXPECTED, PUBLIC_OUTPUTS, texts_for

pytestmark = pytest.mark.e2e


def test_tritonclient_reads_health_and_metadata_over_grpc(over_grpc: tritongrpc.InferenceServerClient) -> None:
    assert over_grpc.is_server_live()
    assert over_grpc.is_server_ready()
    assert over_grpc.is_model_ready("reviews")
    assert over_grpc.get_server_metadata().name == "modelyard"
    metadata = over_grpc.get_model_metadata("reviews")
    assert [(t.name, t.datatype, list(t.shape)) for t in metadata.inputs] == [("text", "BYTES", [-1])]
    assert {t.name: (t.datatype, list(t.shape)) for t in metadata.outputs} == PUBLIC_OUTPUTS
    assert [model.name for model in over_grpc.get_model_repository_index().models] == ["reviews"]


def test_grpc_and_http_give_the_same_answer(
    over_grpc: tritongrpc.InferenceServerClient, over_http: tritonhttp.InferenceServerClient
) -> None:
    theirs = over_http.infer("reviews", [texts_for(tritonhttp, TEXTS[:8])])
    ours = over_grpc.infer("reviews", [texts_for(tritongrpc, TEXTS[:8])], request_id="r9")
    assert ours.as_numpy("label").tolist() == [label.encode() for label in EXPECTED]
    np.testing.assert_array_equal(ours.as_numpy("scores"), theirs.as_numpy("scores"))
    assert ours.get_response().id == "r9"
    assert over_grpc.get_inference_statistics("reviews").model_stats[0].inference_count >= 16


def test_a_stream_answers_each_request_in_order(over_grpc: tritongrpc.InferenceServerClient) -> None:
    got: list[object] = []
    over_grpc.start_stream(lambda result, error: got.append(error or result.as_numpy("label").tolist()))
    for text in TEXTS[:5]:
        over_grpc.async_stream_infer("reviews", [texts_for(tritongrpc, (text,))])
    over_grpc.stop_stream()
    assert got == [[label.encode()] for label in EXPECTED[:5]]


def test_grpc_says_what_is_wrong_with_the_right_code(over_grpc: tritongrpc.InferenceServerClient) -> None:
    cases = [
        ("nothing", texts_for(tritongrpc, ("a",)), "NOT_FOUND", "there is no model 'nothing'"),
        ("reviews", texts_for(tritongrpc, ("",)), "INVALID_ARGUMENT", "item 0: the text is empty"),
        ("reviews.tensor", texts_for(tritongrpc, ("a",)), "INVALID_ARGUMENT", "has no input text"),
    ]
    for model, tensor, code, part in cases:
        with pytest.raises(InferenceServerException) as caught:
            over_grpc.infer(model, [tensor])
        assert caught.value.status() == f"StatusCode.{code}"
        assert part in caught.value.message()


def test_grpc_metadata_carries_the_version_and_the_request_id(server: Served) -> None:
    from tritonclient.grpc import service_pb2, service_pb2_grpc

    message = service_pb2.ModelInferRequest(model_name="reviews")
    message.inputs.add(name="text", datatype="BYTES", shape=[1]).contents.bytes_contents.append(b"good")
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc}") as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        response, call = stub.ModelInfer.with_call(message, metadata=(("x-request-id", "abc-1"),), timeout=10)
    trailing = dict(call.trailing_metadata())
    assert (trailing["x-modelyard-version"], trailing["x-request-id"]) == ("1", "abc-1")
    assert list(response.outputs[0].contents.bytes_contents) == [b"positive"]
