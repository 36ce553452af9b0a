from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RefusedCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REFUSED_CODE_UNSPECIFIED: _ClassVar[RefusedCode]
    REFUSED_CODE_PROTOCOL: _ClassVar[RefusedCode]
    REFUSED_CODE_RUN: _ClassVar[RefusedCode]
    REFUSED_CODE_FEATURES: _ClassVar[RefusedCode]
    REFUSED_CODE_NETWORKS: _ClassVar[RefusedCode]
    REFUSED_CODE_HELD: _ClassVar[RefusedCode]
    REFUSED_CODE_FENCED: _ClassVar[RefusedCode]
    REFUSED_CODE_MALFORMED: _ClassVar[RefusedCode]
    REFUSED_CODE_GAP: _ClassVar[RefusedCode]
    REFUSED_CODE_DISK_FULL: _ClassVar[RefusedCode]
    REFUSED_CODE_BUSY: _ClassVar[RefusedCode]
    REFUSED_CODE_LOG: _ClassVar[RefusedCode]
REFUSED_CODE_UNSPECIFIED: RefusedCode
REFUSED_CODE_PROTOCOL: RefusedCode
REFUSED_CODE_RUN: RefusedCode
REFUSED_CODE_FEATURES: RefusedCode
REFUSED_CODE_NETWORKS: RefusedCode
REFUSED_CODE_HELD: RefusedCode
REFUSED_CODE_FENCED: RefusedCode
REFUSED_CODE_MALFORMED: RefusedCode
REFUSED_CODE_GAP: RefusedCode
REFUSED_CODE_DISK_FULL: RefusedCode
REFUSED_CODE_BUSY: RefusedCode
REFUSED_CODE_LOG: RefusedCode

class EnrolRequest(_message.Message):
    __slots__ = ("token", "label")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    token: str
    label: str
    def __init__(self, token: _Optional[str] = ..., label: _Optional[str] = ...) -> None: ...

class EnrolReply(_message.Message):
    __slots__ = ("session_token", "run")
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    session_token: str
    run: str
    def __init__(self, session_token: _Optional[str] = ..., run: _Optional[str] = ...) -> None: ...

class FromActor(_message.Message):
    __slots__ = ("hello", "records", "wish", "evaluation", "heartbeat")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    WISH_FIELD_NUMBER: _ClassVar[int]
    EVALUATION_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    records: Records
    wish: Wish
    evaluation: Evaluation
    heartbeat: Heartbeat
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., records: _Optional[_Union[Records, _Mapping]] = ..., wish: _Optional[_Union[Wish, _Mapping]] = ..., evaluation: _Optional[_Union[Evaluation, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ...) -> None: ...

class FromLearner(_message.Message):
    __slots__ = ("welcome", "refused", "ack", "policy_offer", "report", "heartbeat")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    POLICY_OFFER_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    refused: Refused
    ack: Ack
    policy_offer: PolicyOffer
    report: Report
    heartbeat: Heartbeat
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., refused: _Optional[_Union[Refused, _Mapping]] = ..., ack: _Optional[_Union[Ack, _Mapping]] = ..., policy_offer: _Optional[_Union[PolicyOffer, _Mapping]] = ..., report: _Optional[_Union[Report, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("protocol_major", "app_version", "run", "actor_id", "epoch", "host", "features", "networks")
    PROTOCOL_MAJOR_FIELD_NUMBER: _ClassVar[int]
    APP_VERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    ACTOR_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    protocol_major: int
    app_version: str
    run: str
    actor_id: str
    epoch: int
    host: str
    features: bytes
    networks: bytes
    def __init__(self, protocol_major: _Optional[int] = ..., app_version: _Optional[str] = ..., run: _Optional[str] = ..., actor_id: _Optional[str] = ..., epoch: _Optional[int] = ..., host: _Optional[str] = ..., features: _Optional[bytes] = ..., networks: _Optional[bytes] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("next_seq", "mark", "policy")
    NEXT_SEQ_FIELD_NUMBER: _ClassVar[int]
    MARK_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    next_seq: int
    mark: int
    policy: PolicyOffer
    def __init__(self, next_seq: _Optional[int] = ..., mark: _Optional[int] = ..., policy: _Optional[_Union[PolicyOffer, _Mapping]] = ...) -> None: ...

class Refused(_message.Message):
    __slots__ = ("code", "what", "fix")
    CODE_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    FIX_FIELD_NUMBER: _ClassVar[int]
    code: RefusedCode
    what: str
    fix: str
    def __init__(self, code: _Optional[_Union[RefusedCode, str]] = ..., what: _Optional[str] = ..., fix: _Optional[str] = ...) -> None: ...

class Records(_message.Message):
    __slots__ = ("packed",)
    PACKED_FIELD_NUMBER: _ClassVar[int]
    packed: bytes
    def __init__(self, packed: _Optional[bytes] = ...) -> None: ...

class Ack(_message.Message):
    __slots__ = ("next_seq",)
    NEXT_SEQ_FIELD_NUMBER: _ClassVar[int]
    next_seq: int
    def __init__(self, next_seq: _Optional[int] = ...) -> None: ...

class Wish(_message.Message):
    __slots__ = ("learn", "all_demonstrated", "newest_policy")
    LEARN_FIELD_NUMBER: _ClassVar[int]
    ALL_DEMONSTRATED_FIELD_NUMBER: _ClassVar[int]
    NEWEST_POLICY_FIELD_NUMBER: _ClassVar[int]
    learn: bool
    all_demonstrated: bool
    newest_policy: int
    def __init__(self, learn: _Optional[bool] = ..., all_demonstrated: _Optional[bool] = ..., newest_policy: _Optional[int] = ...) -> None: ...

class Evaluation(_message.Message):
    __slots__ = ("policy_version", "successes", "trials")
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    SUCCESSES_FIELD_NUMBER: _ClassVar[int]
    TRIALS_FIELD_NUMBER: _ClassVar[int]
    policy_version: int
    successes: int
    trials: int
    def __init__(self, policy_version: _Optional[int] = ..., successes: _Optional[int] = ..., trials: _Optional[int] = ...) -> None: ...

class PolicyOffer(_message.Message):
    __slots__ = ("version", "trained", "frozen")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TRAINED_FIELD_NUMBER: _ClassVar[int]
    FROZEN_FIELD_NUMBER: _ClassVar[int]
    version: int
    trained: Blob
    frozen: Blob
    def __init__(self, version: _Optional[int] = ..., trained: _Optional[_Union[Blob, _Mapping]] = ..., frozen: _Optional[_Union[Blob, _Mapping]] = ...) -> None: ...

class Blob(_message.Message):
    __slots__ = ("sha256", "size")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    sha256: bytes
    size: int
    def __init__(self, sha256: _Optional[bytes] = ..., size: _Optional[int] = ...) -> None: ...

class FetchPolicyRequest(_message.Message):
    __slots__ = ("sha256", "offset")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    sha256: bytes
    offset: int
    def __init__(self, sha256: _Optional[bytes] = ..., offset: _Optional[int] = ...) -> None: ...

class ChangeRequest(_message.Message):
    __slots__ = ("base_sha256", "sha256")
    BASE_SHA256_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    base_sha256: bytes
    sha256: bytes
    def __init__(self, base_sha256: _Optional[bytes] = ..., sha256: _Optional[bytes] = ...) -> None: ...

class ChangeReply(_message.Message):
    __slots__ = ("change", "result_sha256")
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    RESULT_SHA256_FIELD_NUMBER: _ClassVar[int]
    change: Blob
    result_sha256: bytes
    def __init__(self, change: _Optional[_Union[Blob, _Mapping]] = ..., result_sha256: _Optional[bytes] = ...) -> None: ...

class PolicyChunk(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class Report(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, events: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("sent_ns", "echo_ns")
    SENT_NS_FIELD_NUMBER: _ClassVar[int]
    ECHO_NS_FIELD_NUMBER: _ClassVar[int]
    sent_ns: int
    echo_ns: int
    def __init__(self, sent_ns: _Optional[int] = ..., echo_ns: _Optional[int] = ...) -> None: ...
