"""How mistakes of ``site.toml`` are told: where, what is wrong, and what would be right."""

from __future__ import annotations

from collections.abc import Callable

Wrong = Callable[[str, str, str], None]


def counted(wrong: Wrong) -> tuple[list[str], Wrong]:
    """The same, and the places of what was told by it."""
    told: list[str] = []

    def tell(where: str, what: str, right: str) -> None:
        told.append(where)
        wrong(where, what, right)

    return told, tell
