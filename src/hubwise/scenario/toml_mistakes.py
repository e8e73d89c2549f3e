"""What is wrong with a text that is not TOML, in words: the line, what stands there, what to do."""

from __future__ import annotations

import re
import tomllib

# Of longer files the line in which something is left open is not looked for.
MOST_LINES = 2_000
# So much of a line is shown.
SHOWN = 60

_QUOTE = "end the text with the quote that it begins with, on the same line"
# How the parser's words begin; what is wrong, where that is said better, and what would be right.
_MISTAKES = (
    ("Illegal character '\\n'", "has a quote that is not closed", _QUOTE),
    ("Illegal character", "", "take the character out, or write the text anew"),
    ("Unterminated string", "has a quote that is not closed", _QUOTE),
    ("Expected \"'", "has a quote that is not closed", _QUOTE),
    ("Unclosed array", "has a list that is not closed", "close it with ]"),
    ("Unclosed inline table", "has a table that is not closed", "close it with } on the same line"),
    ("Expected ']", "has a section's name that is not closed", "close it with ]"),
    ("Cannot overwrite", "gives what is given already", "leave one of the two out"),
    ("Cannot declare", "begins a section that is there already", "put their keys into one section"),
    ("Invalid date", "has a date that does not exist", "write dates as 2025-05-14, without quotes"),
    ("Unescaped '\\'", "has a backslash within a text", "use / in its place, or put \\\\ for one"),
    (
        "Invalid value",
        "has a value that TOML does not know",
        'put texts into straight quotes ("), write numbers with a point, and true or false',
    ),
    ("Expected '='", "has no = after a key", "write it as key = value"),
    (
        "Expected newline",
        "goes on after its value",
        'write numbers with a point and without zeros before them, texts in quotes ("), '
        "and one key a line",
    ),
    ("Invalid statement", "is neither key = value nor a [section]", "write it as one of them"),
)
_LEFT_OPEN = ("Unterminated", "Expected \"'", "Unclosed array")


def mistake(text: str, error: tomllib.TOMLDecodeError) -> tuple[str, str, str]:
    """Where a text is not TOML, what is wrong there, and what would be right.

    Parameters
    ----------
    text
        The file's text.
    error
        What the parser says of it.
    """
    words = str(error)
    told = re.search(r"line (\d+)", words)
    line = int(told[1]) if told else None
    if line is None or words.startswith(_LEFT_OPEN):
        line = _opened(text) or line
    said = words.split(" (at ")[0]
    known = ((wrong, right) for begin, wrong, right in _MISTAKES if words.startswith(begin))
    wrong, right = next(known, ("", "the notation is explained at https://toml.io"))
    shown = _shown(text, line)
    where = "end of the file" if line is None else f"line {line}"
    return where, f"is not valid TOML: {shown}{wrong or said}", right


def _opened(text: str) -> int | None:
    """The line of the first statement that is not complete, from 1."""
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        return None
    for complete in range(len(lines) - 1, -1, -1):
        try:
            tomllib.loads("\n".join(lines[:complete]))
        except tomllib.TOMLDecodeError:
            continue
        return complete + 1
    return None


def _shown(text: str, line: int | None) -> str:
    """What stands in a line, for a sentence."""
    lines = text.splitlines()
    stands = lines[line - 1].strip() if line is not None and line <= len(lines) else ""
    return f"`{stands[:SHOWN]}{'…' if len(stands) > SHOWN else ''}` " if stands else ""
