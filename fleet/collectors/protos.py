"""Small protobuf messages declared in place, where a package of generated code would bring nothing more."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

TYPES = {
    "double": Field.TYPE_DOUBLE,
    "int32": Field.TYPE_INT32,
    "int64": Field.TYPE_INT64,
    "uint32": Field.TYPE_UINT32,
    "uint64": Field.TYPE_UINT64,
    "string": Field.TYPE_STRING,
}


def messages(package: str, declared: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Classes by name. A field is written as its number and type: `{"Sample": {"value": "1 double"}}`.

    A star before the type means a list; a type that is none of protobuf's is another of these messages. Fields that
    are not declared are passed over when a message is read.
    """
    file = FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, fields in declared.items():
        message = file.message_type.add(name=name)
        for field, text in fields.items():
            number, kind = text.split()
            many, kind = kind.startswith("*"), kind.lstrip("*")
            one = message.field.add(name=field, number=int(number))
            one.label = Field.LABEL_REPEATED if many else Field.LABEL_OPTIONAL
            one.type = TYPES.get(kind, Field.TYPE_MESSAGE)
            if kind not in TYPES:
                one.type_name = f".{package}.{kind}"
    found = DescriptorPool()  # of our own: another library may know the same package
    descriptor = found.AddSerializedFile(file.SerializeToString())
    return {name: GetMessageClass(descriptor.message_types_by_name[name]) for name in declared}
