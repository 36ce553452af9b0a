from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class PadWord(_message.Message):
    __slots__ = ("sequence", "stamp_ns", "connected", "intervene", "forward", "left", "up", "gripper", "successes", "failures", "rerecords", "reason")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STAMP_NS_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    INTERVENE_FIELD_NUMBER: _ClassVar[int]
    FORWARD_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    UP_FIELD_NUMBER: _ClassVar[int]
    GRIPPER_FIELD_NUMBER: _ClassVar[int]
    SUCCESSES_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    RERECORDS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    stamp_ns: int
    connected: bool
    intervene: bool
    forward: float
    left: float
    up: float
    gripper: float
    successes: int
    failures: int
    rerecords: int
    reason: str
    def __init__(self, sequence: _Optional[int] = ..., stamp_ns: _Optional[int] = ..., connected: _Optional[bool] = ..., intervene: _Optional[bool] = ..., forward: _Optional[float] = ..., left: _Optional[float] = ..., up: _Optional[float] = ..., gripper: _Optional[float] = ..., successes: _Optional[int] = ..., failures: _Optional[int] = ..., rerecords: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class PadStamp(_message.Message):
    __slots__ = ("stamp_ns", "human", "age_ms")
    STAMP_NS_FIELD_NUMBER: _ClassVar[int]
    HUMAN_FIELD_NUMBER: _ClassVar[int]
    AGE_MS_FIELD_NUMBER: _ClassVar[int]
    stamp_ns: int
    human: bool
    age_ms: int
    def __init__(self, stamp_ns: _Optional[int] = ..., human: _Optional[bool] = ..., age_ms: _Optional[int] = ...) -> None: ...
