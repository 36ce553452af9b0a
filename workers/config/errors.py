"""The one exception of this room: everything that is wrong with a configuration, said at once."""

import msgspec

EXIT_CODE = 2
"""What a command line returns when the configuration is refused."""


class Problem(msgspec.Struct, frozen=True):
    """One thing the user has to change."""

    line: int
    """Line in the file, counted from 1; 0 when the file as a whole is meant."""
    key: str
    """Dotted key as the user would write it, or empty when the file as a whole is meant."""
    text: str
    """What is wrong, and what would be right."""


class ConfigError(Exception):
    """A configuration that cannot be used; `str()` is meant for the operator, one line a problem."""

    def __init__(self, path: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(path, problems)
        self.path = path
        self.problems = problems

    def __str__(self) -> str:
        lines = []
        for problem in sorted(self.problems, key=lambda found: found.line):
            place = f"{self.path}:{problem.line}" if problem.line else self.path
            lines.append(": ".join(part for part in (place, problem.key, problem.text) if part))
        return "\n".join(lines)
