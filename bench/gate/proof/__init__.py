"""Does the check find what it should, and only that? `python -m bench.gate.proof`."""
