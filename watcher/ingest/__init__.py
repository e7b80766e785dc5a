"""Ingest: what the Admin API says goes into the store, each reading whole or not at all. Read `reading.py` first."""

from watcher.ingest.membership import UNNAMED, OtherOrganization, SameOrganization, organization_of
from watcher.ingest.plan import Plan
from watcher.ingest.reader import SOURCES, Reader
from watcher.ingest.reading import Ingested, ingest

__all__ = [
    "SOURCES",
    "UNNAMED",
    "Ingested",
    "OtherOrganization",
    "Plan",
    "Reader",
    "SameOrganization",
    "ingest",
    "organization_of",
]
