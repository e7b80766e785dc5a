"""`make bench`: every benchmark that needs nothing but this repository."""

from benchmarks import cycle

cycle.main([])
