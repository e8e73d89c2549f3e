"""The errors of the door; they stand in `hubwise.domain.errors`, which opens no other room."""

from hubwise.domain.errors import (
    FolderError,
    Issue,
    ScenarioError,
    closest,
    did_you_mean,
    in_order,
    listed,
    ranges,
)

__all__ = [
    "FolderError",
    "Issue",
    "ScenarioError",
    "closest",
    "did_you_mean",
    "in_order",
    "listed",
    "ranges",
]
