"""Every test of the store runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import uuid

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'site.db'}"
    return request.getfixturevalue("postgres")(f"t{uuid.uuid4().hex[:12]}")
