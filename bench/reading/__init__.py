"""Access to the results of runs: in a notebook, comparisons, tables and pictures."""

from bench.reading.compare import Comparison, compare
from bench.reading.export import export
from bench.reading.overview import Overview, overview
from bench.reading.run import Run

__all__ = ["Comparison", "Overview", "Run", "compare", "export", "overview"]
