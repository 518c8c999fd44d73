"""Time that a search takes beside its trials."""

import itertools

import pytest

from bench.config import Search

TRIALS = 8


@pytest.mark.parametrize("algorithm", ["random", "hyperband"])
def test_search_overhead(timed, tmp_path, algorithm):
    from bench.search import tuner

    settings = Search(
        algorithm=algorithm, trials=TRIALS, max_epochs=4, factor=3, images=1, confirmations=0
    )
    folders = (tmp_path / str(number) for number in itertools.count())

    def search():
        return tuner.run(
            lambda space: space.Float("rate", 1e-4, 1e-2, sampling="log"),
            {"only": lambda values, epochs, seed: [values["rate"]]},
            settings,
            default={"rate": 1e-3},
            direction="max",
            folder=next(folders),
            name="search",
            seed=1,
            progress=lambda *_: None,
        )

    outcome = timed(search, items=TRIALS, unit="trials")
    assert outcome.metrics["failed"] == 0
