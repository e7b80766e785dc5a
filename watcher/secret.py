"""A string that must never be shown: it is held here, and leaves only through `reveal()`."""

from typing import NoReturn, final

HIDDEN = "[secret]"


@final
class Secret:
    """Holds one secret string.

    `repr`, `str`, `format` and `pickle` never show it. Two Secrets are equal when their strings are; a
    Secret never equals a plain string.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The string itself. Call it where the secret is used, and keep the result in no attribute."""
        return self.__value

    def hide_in(self, text: str) -> str:
        """`text` with every occurrence of the secret replaced, for messages that came from elsewhere."""
        return text.replace(self.__value, HIDDEN) if self.__value else text

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.__value == other.__value

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")
