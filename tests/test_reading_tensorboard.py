"""Trials as TensorBoard's logs, read back by TensorBoard's own reader."""

import importlib.util

import pytest

from bench.errors import UserError
from bench.reading.tensorboard import check_installed, write_logs
from tests.report_fixture import made_up_run

SEARCH = "fashion_generation", "gan_search"


def test_a_missing_package_is_told_with_its_extra(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"bash \.ci/setup tensorboard"):
        check_installed()


@pytest.mark.filterwarnings("ignore")
def test_each_trial_has_its_settings_its_scores_and_how_it_ended(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import api_pb2, metadata

    run = made_up_run(tmp_path / "run", failed=("mnist_classifier/search",))
    seals = [cell.seal for cell in run.cells]
    for _ in range(2):  # the second call replaces what the first wrote
        written = write_logs(run, tmp_path / "logs")
    assert [cell.seal for cell in run.cells] == seals
    assert tmp_path / "logs" / "mnist_classifier" / "search" not in written
    assert len(written) == 4
    trials = sorted(tmp_path.joinpath("logs", *SEARCH).glob("trial-*"))
    assert [len(list(trial.iterdir())) for trial in trials] == [1, 1, 1]

    def read(folder):
        events = EventAccumulator(str(folder))
        events.Reload()
        content = events.PluginTagToContent(metadata.PLUGIN_NAME)
        begun, ended = (
            metadata.parse_session_start_info_plugin_data(content[metadata.SESSION_START_INFO_TAG]),
            metadata.parse_session_end_info_plugin_data(content[metadata.SESSION_END_INFO_TAG]),
        )
        return events, begun, ended

    events, begun, ended = read(trials[1])
    assert begun.hparams["learning_rate"].number_value == pytest.approx(1e-3)
    assert begun.hparams["epochs"].number_value == 2
    assert ended.status == api_pb2.STATUS_SUCCESS
    scores = events.Tensors("validation_frechet_distance")
    assert [each.step for each in scores] == [1, 2]
    assert [each.tensor_proto.float_val[0] for each in scores] == pytest.approx([0.52, 0.61])
    events, _, ended = read(trials[2])
    assert ended.status == api_pb2.STATUS_FAILURE
    assert "validation_frechet_distance" not in events.Tags()["tensors"]
