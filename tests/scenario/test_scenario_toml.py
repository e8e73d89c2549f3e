"""What is said of a file that is not TOML: the line, and what to do."""

from __future__ import annotations

import tomllib

import pytest

from hubwise.scenario.toml_mistakes import mistake


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('name = "north', "has a quote that is not closed"),
        ("name = 'north", "has a quote that is not closed"),
        ('"name = 1', "has a quote that is not closed"),
        ('name = """north', "has a quote that is not closed"),
        ("list = [1, 2", "has a list that is not closed"),
        ("[hubs", "has a section's name that is not closed"),
        ("[[hubs]", "has a section's name that is not closed"),
        ("zone = Europe/Amsterdam", "has a value that TOML does not know"),
        ("kw = 1,5", "goes on after its value"),
        ("first = 2", "gives what is given already"),
        ("kw 5", "has no = after a key"),
        ("day = 2025-02-30", "has a date that does not exist"),
        ('file = "a\\d"', "has a backslash within a text"),
        ("map = {kw = 1", "has a table that is not closed"),
    ],
)
@pytest.mark.parametrize("after", ["", "\n", "\nlast = 3\n", "\n\n[more]\nkw = 1\n"])
def test_the_line_is_told_where_the_mistake_is(line: str, words: str, after: str) -> None:
    """Whatever stands before and after, and where the parser noticed."""
    text = 'first = 1\nlist_before = [\n  "a",\n]\n' + line + after
    with pytest.raises(tomllib.TOMLDecodeError) as raised:
        tomllib.loads(text)
    where, wrong, right = mistake(text, raised.value)
    assert where == "line 5"
    assert wrong == f"is not valid TOML: `{line}` {words}"
    assert right
    assert "toml.io" not in right
