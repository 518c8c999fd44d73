"""What people see of a check."""

import io

import pytest
from rich.console import Console

from bench.gate.check import Check
from bench.gate.outcomes import Finding, Outcome
from bench.gate.show import markdown, print_table, verdict

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


@pytest.mark.parametrize(
    ("outcomes", "said", "unsaid"),
    [
        ([Outcome.OK], "Nothing that was compared got worse", "not compared"),
        ([Outcome.OK, Outcome.TOO_NOISY], "1 of 2 figures were not compared", "Nothing at all"),
        ([Outcome.REGRESSED, Outcome.NO_BASELINE], "1 of 2 figures", "--allow-no-baseline"),
        ([Outcome.NO_BASELINE], "Nothing at all was compared by: time", "got worse."),
        ([Outcome.TOO_NOISY], "let nothing else run", "got worse."),
        ([Outcome.HARNESS_ERROR], "do not trust", "not compared"),
    ],
)
def test_the_verdict_says_what_was_not_compared(outcomes, said, unsaid):
    check = Check("a" * 40, "b" * 40, [Finding("time", "x", outcome, "") for outcome in outcomes])
    assert said in verdict(check)
    assert unsaid not in verdict(check)
    assert verdict(check) in markdown(check)


def test_what_was_allowed_is_still_told():
    findings = [Finding("time", "base", Outcome.NO_BASELINE, "a first run")]
    check = Check("0" * 40, "b" * 40, findings, allow_no_baseline=True)
    assert check.exit_code == 0
    assert "Nothing at all was compared by: time" in verdict(check)
