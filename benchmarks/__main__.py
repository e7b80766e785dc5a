"""`make bench`: every benchmark that needs nothing but this repository."""

from benchmarks import cycle, ledger

ledger.main([])
cycle.main([])
