"""Several organizations in one database: each has a name, and what is remembered between cycles is its own."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text, UniqueConstraint, column, insert, select, table

revision = "0006"
down_revision = "0005"

_OF_ALL = ("pruned_at",)
"""What is remembered once for all organizations; everything else belongs to the one that there was."""
_SERVED = "organization"
"""Under this name stood the id of the organization that the database served."""


def upgrade() -> None:
    """Add the organizations, and take over what is remembered of the one that there was."""
    organizations = op.create_table(
        "organizations",
        Column("id", Text, primary_key=True),
        Column("label", Text, nullable=False),
        UniqueConstraint("label", name="uq_organizations_label"),
        sqlite_strict=True,
    )
    connection = op.get_bind()
    before = table("cursor", column("name"), column("value"))
    values = {row.name: row.value for row in connection.execute(select(before))}
    op.drop_table("cursor")
    cursor = op.create_table(
        "cursor",
        Column("organization", Text, primary_key=True),
        Column("name", Text, primary_key=True),
        Column("value", Text, nullable=False),
        sqlite_strict=True,
    )
    served = values.pop(_SERVED, None)
    if served is not None:
        connection.execute(insert(organizations).values(id=served, label=""))
    for name, value in values.items():
        owner = "" if name in _OF_ALL else served or ""
        connection.execute(insert(cursor).values(organization=owner, name=name, value=value))
