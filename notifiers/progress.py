"""What of a message has been accepted already, where one message is handed over in several parts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Progress:
    """The parts of the message in hand that were accepted, so that the next try leaves them out.

    It is kept in memory, for one message at a time: a receiver's messages are sent one after the other, and after a
    restart a part may be handed over again, with its own id.
    """

    _message: str = ""
    _taken: set[str] = field(default_factory=set)
    tries: int = 0
    """How many tries of this message have begun."""

    def begin(self, message: str) -> None:
        """A try of the message of this id begins; what was accepted of another one is forgotten."""
        if message != self._message:
            self._message, self._taken, self.tries = message, set(), 0
        self.tries += 1

    def took(self, part: str) -> None:
        """A part was accepted."""
        self._taken.add(part)

    def has(self, part: str) -> bool:
        """Whether a part of this message was accepted in an earlier try."""
        return part in self._taken
