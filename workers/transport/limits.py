"""What one peer may ask of the link: sizes, streams, pings. The same figures for both ends."""

from typing import Final

MESSAGE_BYTES: Final = (2 * 1024 + 64) * 1024  # a batch of records and its headers
METADATA_BYTES: Final = 8 * 1024
CONNECTIONS: Final = 256  # at once, of three sockets each; a process may have 1024 files open
STREAMS_PER_CONNECTION: Final = 16
PING_PERIOD_S: Final = 5.0
PING_ANSWER_S: Final = 3.0
PING_SPACING_S: Final = 2.0  # a client that pings more often is cut off
HANDSHAKE_S: Final = 5.0  # TLS and HTTP/2; who has said nothing by then is cut off
IDLE_S: Final = 60.0  # a connection without a call

Options = list[tuple[str, int | str]]

# A message of 2 MiB unpacks to 2 GiB at worst, and nothing on the link is packed: packed messages are not unpacked.
_BOTH: Final[Options] = [
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.max_metadata_size", METADATA_BYTES),
    ("grpc.absolute_max_metadata_size", METADATA_BYTES),
    ("grpc.per_message_decompression", 0),
    ("grpc.keepalive_permit_without_calls", 1),
]


def server_options() -> Options:
    """Channel arguments of the learner's server."""
    return [
        *_BOTH,
        ("grpc.so_reuseport", 0),  # another process on the port must fail, not share it
        ("grpc.max_allowed_incoming_connections", CONNECTIONS),
        ("grpc.max_concurrent_streams", STREAMS_PER_CONNECTION),
        ("grpc.keepalive_time_ms", _ms(2 * PING_PERIOD_S)),
        ("grpc.keepalive_timeout_ms", _ms(PING_PERIOD_S)),
        ("grpc.http2.min_ping_interval_without_data_ms", _ms(PING_SPACING_S)),
        ("grpc.server_handshake_timeout_ms", _ms(HANDSHAKE_S)),
        ("grpc.max_connection_idle_ms", _ms(IDLE_S)),
    ]


def channel_options(name: str) -> Options:
    """Channel arguments of a client; `name` is what the learner's certificate is made out to."""
    return [
        *_BOTH,
        ("grpc.ssl_target_name_override", name),
        ("grpc.enable_http_proxy", 0),  # a learner is reached directly or through ssh
        ("grpc.keepalive_time_ms", _ms(PING_PERIOD_S)),
        ("grpc.keepalive_timeout_ms", _ms(PING_ANSWER_S)),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.min_reconnect_backoff_ms", 1000),
        ("grpc.max_reconnect_backoff_ms", 5000),
    ]


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
