from __future__ import annotations

from pathlib import Path

import grpc_tools
from google.protobuf import descriptor_pb2
from grpc_tools import protoc
from tritonclient.grpc import service_pb2

from modelyard.serve.protocol import COMPILED


def test_the_compiled_protocol_is_that_of_its_source(tmp_path: Path) -> None:
    source, target = COMPILED.with_name("inference.proto"), tmp_path / "again.desc"
    include = Path(grpc_tools.__file__).parent / "_proto"
    arguments = ["protoc", f"-I{source.parent}", f"-I{include}", f"--descriptor_set_out={target}", str(source)]
    assert protoc.main(arguments) == 0
    again = descriptor_pb2.FileDescriptorSet.FromString(target.read_bytes())
    assert again == descriptor_pb2.FileDescriptorSet.FromString(COMPILED.read_bytes())


def fields(message: descriptor_pb2.DescriptorProto, prefix: str = "") -> dict[str, tuple[int, int, int, str]]:
    """message.field -> number, type, label, type name; nested messages too."""
    found = {f"{prefix}{message.name}.{f.name}": (f.number, f.type, f.label, f.type_name) for f in message.field}
    for nested in message.nested_type:
        found |= fields(nested, f"{prefix}{message.name}.")
    return found


def test_every_field_has_the_number_and_type_that_tritonclient_knows() -> None:
    theirs_file = descriptor_pb2.FileDescriptorProto()
    service_pb2.DESCRIPTOR.CopyToProto(theirs_file)
    theirs = {key: value for message in theirs_file.message_type for key, value in fields(message).items()}
    (ours_file,) = descriptor_pb2.FileDescriptorSet.FromString(COMPILED.read_bytes()).file
    ours = {key: value for message in ours_file.message_type for key, value in fields(message).items()}
    assert len(ours) > 60
    assert {key: theirs.get(key) for key in ours} == ours
    methods = {method.name: (method.input_type, method.output_type) for method in theirs_file.service[0].method}
    assert {m.name: (m.input_type, m.output_type) for m in ours_file.service[0].method}.items() <= methods.items()
