"""Check: one finding of the doctor, as it travels from a worker to whoever prints it."""

import msgspec


class Check(msgspec.Struct, frozen=True):
    """`ok` None is a remark: it works, but worse than it could, or nobody can tell."""

    name: str
    ok: bool | None
    found: str
    why: str = ""
    """Why it matters."""
    do: str = ""
    """What to do about it, where it is not well."""
