"""What camera workers say of their pictures."""

from workers.model.event import Event


class CameraJudged(Event, frozen=True):
    """A camera's picture came to be unfit to learn from, or fit again; sent when that changes."""

    camera: str
    flaw: str
    """`black`, `bright` or `frozen`; empty when it is well."""
