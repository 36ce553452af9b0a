"""Packets of Feetech's protocol 0 (STS and SMS servos), and which of the arriving ones answer a request.

Request: FF FF id len instruction parameters checksum. Reply: FF FF id len error data checksum. len counts what
follows it, the checksum is the complement of the sum of id to the last byte before it, words are little endian.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from scservo_sdk import scservo_def as sdk

PING: Final = int(sdk.INST_PING)
READ: Final = int(sdk.INST_READ)
WRITE: Final = int(sdk.INST_WRITE)
SYNC_READ: Final = int(sdk.INST_SYNC_READ)
SYNC_WRITE: Final = int(sdk.INST_SYNC_WRITE)
BROADCAST: Final = int(sdk.BROADCAST_ID)
GREATEST_ID: Final = BROADCAST - 1
OVERHEAD: Final = 6  # bytes of a packet without parameters or data
_HEAD: Final = b"\xff\xff"


class Reply(NamedTuple):
    """What one servo answered."""

    error_bits: int  # 0 voltage, 1 encoder, 2 temperature, 3 current, 5 overload
    data: bytes


def checksum(body: bytes) -> int:
    """Of everything between the two FF and the checksum itself."""
    return ~sum(body) & 0xFF


def request(servo_id: int, instruction: int, parameters: bytes = b"") -> bytes:
    """The packet that asks `servo_id` for `instruction`."""
    body = bytes((servo_id, len(parameters) + 2, instruction)) + parameters
    return _HEAD + body + bytes((checksum(body),))


@lru_cache(256)
def sync_read_request(address: int, length: int, ids: tuple[int, ...]) -> bytes:
    """Asks several servos for the same registers; they answer one after the other, in this order."""
    return request(BROADCAST, SYNC_READ, bytes((address, length, *ids)))


def sync_write_request(address: int, data: Mapping[int, bytes]) -> bytes:
    """Writes the same registers of several servos, each its own bytes of one length; nobody answers."""
    (length,) = {len(each) for each in data.values()}
    return request(
        BROADCAST,
        SYNC_WRITE,
        bytes((address, length)) + b"".join(bytes((each,)) + data[each] for each in data),
    )


class Incoming:
    """Picks the replies to one request out of the bytes that arrive; everything else is skipped and counted."""

    def __init__(self, sent: bytes, wanted: Mapping[int, int]) -> None:
        """`wanted`: how many bytes of data the reply of each servo has, in the order of their turns; of BROADCAST:
        whoever there is."""
        self.replies: dict[int, Reply] = {}
        self.strangers: list[
            tuple[int, int]
        ] = []  # (id, bytes of data) of sound packets that answer nothing here
        self.skipped = 0  # bytes
        self.spoilt = 0  # packets of the right servo and length, wrong checksum
        self.unreadable: set[int] = set()  # servos whose reply came damaged
        self.doubted: set[int] = set()  # servos whose reply was taken and given up again
        self.echoed = False
        self._sent = sent
        self._wanted = wanted
        self._buffer = bytearray()
        self._may_echo = True
        self._turns = {servo_id: turn for turn, servo_id in enumerate(wanted)}
        self._latest = -1  # turn of those that were heard
        self._early: dict[int, Reply] = {}  # heard before the turn of that servo
        self._newest: int | None = None  # servo whose reply ended right before what is in the buffer

    @property
    def complete(self) -> bool:
        """Nothing that could still count is awaited."""
        answered = len(self.replies) + len(self.doubted)
        return answered == len(self._wanted) and BROADCAST not in self._wanted

    @property
    def noise(self) -> int:
        """Bytes that came and belong to no packet at all."""
        return self.skipped - sum(OVERHEAD + length for _, length in self.strangers)

    def finish(self) -> None:
        """No more bytes will come."""
        if self._buffer and not _HEAD.startswith(self._buffer[:2]):
            self._doubt(self._newest)
        self.skipped += len(self._buffer)
        for servo_id in self._early.keys() - self.replies.keys() - self.doubted:
            self.replies[servo_id] = self._early[servo_id]  # not the first one's copy: another came late

    def feed(self, chunk: bytes) -> None:
        """Take bytes as they came."""
        if self._may_echo and not self._buffer and self._is_everything(chunk):
            return
        self._buffer += chunk
        if self._may_echo and not self._past_echo():
            return
        while self._take():
            pass

    def _is_everything(self, chunk: bytes) -> bool:
        """Take all replies at once where they come so, whole and in turn, as they nearly always do.

        It is what the steps below would find, for a third of their cost.
        """
        if self._sent.startswith(chunk[: len(self._sent)]) or BROADCAST in self._wanted:
            return False
        replies, start = {}, 0
        for servo_id, length in self._wanted.items():
            end = start + OVERHEAD + length
            packet = chunk[start:end]
            if len(packet) != end - start or not packet.startswith(_HEAD + bytes((servo_id, length + 2))):
                return False
            if packet[-1] != checksum(packet[2:-1]):
                return False
            replies[servo_id], start = Reply(packet[4], packet[5:-1]), end
        if start != len(chunk):
            return False
        self.replies, self._may_echo = replies, False
        self._latest, self._newest = len(replies) - 1, next(reversed(replies))
        return True

    def _past_echo(self) -> bool:
        """Drop the adapter's echo of the request; False while the bytes so far may yet become one."""
        got = bytes(self._buffer[: len(self._sent)])
        if not self._sent.startswith(got):
            self._may_echo = False
        elif len(got) == len(self._sent):
            del self._buffer[: len(got)]
            self.echoed, self._may_echo = True, False
        elif self._is_reply_already():
            self._may_echo = False
        return not self._may_echo

    def _is_reply_already(self) -> bool:
        """A short sound reply may look like the beginning of a longer request; waiting would cost the reply."""
        buffer = self._buffer
        return len(buffer) >= OVERHEAD and len(buffer) >= buffer[3] + 4 and self._is_sound(buffer[3] + 4)

    def _take(self) -> bool:
        """One step through the buffer; False when more bytes are needed."""
        buffer = self._buffer
        if len(buffer) < 4:
            return False
        servo_id, length = buffer[2], buffer[3]
        if not buffer.startswith(_HEAD) or servo_id > GREATEST_ID or length < 2:
            # A reply that lost a zero on its way passes its sum where another zero follows it: the rest of a packet
            # that was torn apart. A whole one ends where the next begins.
            self._doubt(self._newest)
            return self._skip()
        total = length + 4
        asked = self._data_bytes_of(servo_id)
        if len(buffer) < total:
            # Wait only for what may be an answer: anything else could swallow the answers that follow it.
            return False if asked == length - 2 else self._skip()
        if not self._is_sound(total):
            if asked == length - 2:
                self.spoilt += 1
                self.unreadable.add(servo_id)
            return self._skip()
        reply = Reply(buffer[4], bytes(buffer[5 : total - 1]))
        if asked == length - 2:
            self._put_off(servo_id)
            self.replies[servo_id] = reply
        else:
            if servo_id in self.replies and self._wanted.get(servo_id) == length - 2:
                self._compare(servo_id, reply)
            self.strangers.append((servo_id, length - 2))
            self.skipped += total
        self._newest = servo_id
        del buffer[:total]
        return True

    def _put_off(self, servo_id: int) -> None:
        """Servos answer in turn: what was heard of those after this one may be an older reply's copy. Wait for more."""
        turn = self._turns.get(servo_id, -1)
        if turn > self._latest:  # in order
            self._latest = turn
            return
        for later in [each for each in self.replies if self._turns.get(each, -1) > turn >= 0]:
            self._early[later] = self.replies.pop(later)

    def _compare(self, servo_id: int, again: Reply) -> None:
        """Two answers to one question: one of them is a late copy of an older one, and nobody knows which."""
        if again != self.replies[servo_id]:
            self._doubt(servo_id)

    def _doubt(self, servo_id: int | None) -> None:
        if servo_id is not None and self.replies.pop(servo_id, None) is not None:
            self.doubted.add(servo_id)

    def _data_bytes_of(self, servo_id: int) -> int | None:
        """How many bytes of data a reply of `servo_id` must have now; None: none is awaited of it."""
        if servo_id in self.replies or servo_id in self.doubted:
            return None
        if BROADCAST in self._wanted:
            return 0
        return self._wanted.get(servo_id)

    def _is_sound(self, total: int) -> bool:
        return self._buffer[total - 1] == checksum(bytes(self._buffer[2 : total - 1]))

    def _skip(self) -> bool:
        """Past one byte, to the next that may begin a packet."""
        start = self._buffer.find(_HEAD, 1)
        if start < 0:
            start = len(self._buffer) - (self._buffer[-1] == 0xFF)
        start = max(start, 1)
        self.skipped += start
        self._newest = None
        del self._buffer[:start]
        return True
