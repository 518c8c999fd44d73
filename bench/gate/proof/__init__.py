"""Proof that the check finds planted faults and nothing else: `python -m bench.gate.proof`."""
