"""What people see of a check."""

import io

from rich.console import Console

from bench.gate.check import Check
from bench.gate.outcomes import Finding, Outcome
from bench.gate.show import print_table

TEST = "tests/benchmarks/test_bench_training.py::test_training_steps[vae]"


def test_the_table_names_a_benchmark_with_its_case_and_puts_alarms_last():
    findings = [
        Finding("time", TEST, Outcome.REGRESSED, "1.4x [1.3, 1.5]"),
        Finding("exact", "report.bytes", Outcome.OK, "1 against 1"),
    ]
    output = io.StringIO()
    print_table(Check("a" * 40, "b" * 40, findings), Console(file=output, width=140))
    text = output.getvalue()
    assert "test_bench_training: test_training_steps[vae]" in text
    assert "1.4x [1.3, 1.5]" in text
    assert text.index("report.bytes") < text.index("[vae]")
