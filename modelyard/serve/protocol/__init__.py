"""Messages of the Open Inference Protocol, in a descriptor pool of their own.

A private pool: the default one may hold tritonclient's messages, which have the same full names. `inference.desc` is
inference.proto compiled, so that serving needs no compiler; a test compiles it again and compares. After a change:
`cd modelyard/serve/protocol && python -m grpc_tools.protoc -I. --descriptor_set_out=inference.desc inference.proto`
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

SERVICE = "inference.GRPCInferenceService"
COMPILED = Path(__file__).with_name("inference.desc")


@cache
def messages() -> dict[str, Any]:
    """Message classes by their short name: messages()["ModelInferRequest"]."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    files = descriptor_pb2.FileDescriptorSet.FromString(COMPILED.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    names = [message.name for file in files.file for message in file.message_type]
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"inference.{name}")) for name in names}
