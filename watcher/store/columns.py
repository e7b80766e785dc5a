"""The few kinds of columns that the tables are made of, and what they belong to."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, MetaData, Text
from sqlalchemy.types import TypeEngine

metadata = MetaData()
"""Every table."""


def big() -> TypeEngine[int]:
    """A 64-bit integer in every dialect; SQLite's INTEGER is one already, and STRICT knows no BIGINT."""
    return BigInteger().with_variant(Integer(), "sqlite")


def number(name: str, *, nullable: bool = False) -> Column[int]:
    """A whole number."""
    return Column(name, big(), nullable=nullable)


def counted(name: str) -> Column[int]:
    """A whole number that is 0 at first."""
    return Column(name, big(), nullable=False, server_default="0")


def words(name: str, *, nullable: bool = False) -> Column[str]:
    """Text."""
    return Column(name, Text, nullable=nullable)


def key(name: str) -> Column[str]:
    """Text that the rows are known by."""
    return Column(name, Text, primary_key=True)


def number_key(name: str) -> Column[int]:
    """A whole number that the rows are known by."""
    return Column(name, big(), primary_key=True, autoincrement=False)


def sequence(name: str = "id") -> Column[int]:
    """A number that the database gives each row."""
    return Column(name, big(), primary_key=True, autoincrement=True)
