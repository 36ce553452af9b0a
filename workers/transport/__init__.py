"""The data path: transition records, the append-only log that is the truth, and the links that carry it."""

import os

# gRPC writes a line for every handshake that fails: strangers could fill the disk. Read when it is first imported.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
