import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import cdist, pdist
from sklearn import manifold

from bench.metrics import embedding
from bench.metrics.distances import prepare, squared_blocks
from bench.metrics.embedding import (
    brightness_correlation,
    continuity,
    dead_units,
    distance_correlation,
    knn_accuracy,
    line_share,
    neighbour_ranks,
    neighbourhood_auc,
    neighbourhood_curve,
    scorecard,
    triplet_accuracy,
    trustworthiness,
)

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=15, deadline=None)


def example(seed, count=60, width=20):
    """Points and a map that keeps some of their neighbourhoods."""
    generator = np.random.default_rng(seed)
    points = generator.normal(size=(count, width))
    return points, points[:, :2] + 0.5 * generator.normal(size=(count, 2))


def grey(seed, count=80):
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28), dtype=np.uint8)


@pytest.mark.parametrize("extreme", [False, True])
def test_distances_of_grey_images_are_exact(extreme):
    images = grey(0, 40).reshape(40, -1)
    if extreme:
        images = np.where(images > 127, 255, 0).astype(np.uint8)
        images[1], images[2] = 0, 255
    whole = images.astype(np.int64)
    direct = ((whole[:, None] - whole[None]) ** 2).sum(axis=2)
    (prepared,) = prepare(images)
    assert prepared.points.dtype == np.float32
    blocks = [squared for _, squared in squared_blocks(prepared, prepared, block=7)]
    assert (np.concatenate(blocks) == direct).all()


@pytest.mark.parametrize("width", [2, 8, 9, 50])
def test_distances_of_float_points_survive_a_far_origin(width):
    points = np.random.default_rng(0).normal(size=(30, width))
    (prepared,) = prepare(points + 1e4)
    blocks = [squared for _, squared in squared_blocks(prepared, prepared, block=8)]
    np.testing.assert_allclose(
        np.concatenate(blocks), cdist(points, points, "sqeuclidean"), rtol=1e-8, atol=1e-8
    )


def test_ranks_agree_with_sorting_row_by_row():
    points, _ = example(0)
    ranks = neighbour_ranks(points, block=7)
    distances = cdist(points, points)
    for i in range(len(points)):
        others = [j for j in np.argsort(distances[i]) if j != i]
        assert ranks[i, i] == 0
        assert ranks[i, others].tolist() == list(range(1, len(points)))


def test_ranks_of_duplicates_put_the_point_itself_first_then_earlier_rows():
    ranks = neighbour_ranks(np.zeros((4, 3), dtype=np.uint8))
    assert ranks.tolist() == [[0, 1, 2, 3], [1, 0, 2, 3], [1, 2, 0, 3], [1, 2, 3, 0]]
    halves = np.arange(300) % 2
    expected = np.argsort(np.concatenate([np.flatnonzero(halves == side) for side in (0, 1)]))
    assert neighbour_ranks(halves[:, None])[0].tolist() == expected.tolist()


@few
@given(seeds, st.integers(1, 29))
def test_trustworthiness_and_continuity_agree_with_scikit_learn(seed, k):
    points, places = example(seed)
    ranks, map_ranks = neighbour_ranks(points), neighbour_ranks(places)
    assert trustworthiness(ranks, map_ranks, k) == pytest.approx(
        manifold.trustworthiness(points, places, n_neighbors=k)
    )
    assert continuity(ranks, map_ranks, k) == pytest.approx(
        manifold.trustworthiness(places, points, n_neighbors=k)
    )


@few
@given(seeds)
def test_neighbourhood_curve_agrees_with_counting_common_neighbours(seed):
    points, places = example(seed, count=25)
    ranks, map_ranks = neighbour_ranks(points), neighbour_ranks(places)
    n = len(points)
    direct = []
    for size in range(1, n - 1):
        shared = [
            len(
                set(np.flatnonzero((ranks[i] <= size) & (ranks[i] > 0)))
                & set(np.flatnonzero((map_ranks[i] <= size) & (map_ranks[i] > 0)))
            )
            for i in range(n)
        ]
        q = np.mean(shared) / size
        direct.append(((n - 1) * q - size) / (n - 1 - size))
    curve = neighbourhood_curve(ranks, map_ranks, block=7)
    np.testing.assert_allclose(curve, direct, atol=1e-12)
    sizes = np.arange(1, n - 1)
    assert neighbourhood_auc(curve) == pytest.approx(np.average(direct, weights=1.0 / sizes))


def test_a_map_equal_to_the_points_is_perfect_and_a_random_one_is_not():
    points, _ = example(0, count=400)
    ranks = neighbour_ranks(points)
    assert trustworthiness(ranks, ranks) == continuity(ranks, ranks) == 1.0
    assert (neighbourhood_curve(ranks, ranks) == 1.0).all()
    shuffled = neighbour_ranks(np.random.default_rng(1).normal(size=(400, 2)))
    assert neighbourhood_auc(neighbourhood_curve(ranks, shuffled)) == pytest.approx(0, abs=0.02)
    assert trustworthiness(ranks, shuffled) == pytest.approx(0.5, abs=0.05)


@few
@given(seeds, st.floats(0.0, 6.3), st.floats(0.1, 10.0))
def test_turning_moving_and_scaling_the_map_changes_nothing(seed, angle, scale):
    points, places = example(seed)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = scale * places @ turn + 3.0
    ranks, before, after = (neighbour_ranks(x) for x in (points, places, moved))
    assert (before != after).mean() < 0.001  # near-ties only
    assert trustworthiness(ranks, after) == pytest.approx(trustworthiness(ranks, before), abs=1e-3)
    assert line_share(moved) == pytest.approx(line_share(places))
    assert triplet_accuracy(points, moved, 0) == pytest.approx(
        triplet_accuracy(points, places, 0), abs=1e-3
    )
    assert distance_correlation(points, moved, 0) == pytest.approx(
        distance_correlation(points, places, 0), abs=1e-6
    )


@few
@given(seeds)
def test_the_order_of_images_does_not_matter(seed):
    points, places = example(seed)
    order = np.random.default_rng(seed).permutation(len(points))
    curves = [
        neighbourhood_curve(neighbour_ranks(a), neighbour_ranks(b))
        for a, b in ((points, places), (points[order], places[order]))
    ]
    np.testing.assert_allclose(*curves, atol=1e-12)


def test_knn_accuracy_agrees_with_voting_by_hand():
    generator = np.random.default_rng(0)
    train, test = generator.normal(size=(200, 2)), generator.normal(size=(50, 2))
    labels = (train[:, 0] > 0).astype(int) + 2 * (train[:, 1] > 0)
    truth = (test[:, 0] > 0).astype(int) + 2 * (test[:, 1] > 0)
    nearest = np.argsort(cdist(test, train), axis=1)[:, :5]
    votes = [np.bincount(labels[row]).argmax() for row in nearest]
    accuracy = knn_accuracy(train, labels, test, truth, k=5)
    assert accuracy == pytest.approx((np.array(votes) == truth).mean())
    assert 0.8 < accuracy < 1.0


def test_distance_correlation_agrees_with_all_pairs():
    points, places = example(3, count=40)
    direct = stats.spearmanr(pdist(points), pdist(places)).statistic
    ours = distance_correlation(points, places, seed=0, pairs=100_000)
    assert ours == pytest.approx(direct, abs=0.01)
    assert distance_correlation(points, -7 * points, seed=0) == pytest.approx(1.0)


def test_triplet_accuracy_agrees_with_all_triplets():
    points, places = example(3, count=12)
    far, near = cdist(points, points), cdist(places, places)
    agree = [
        (far[i, j] < far[i, k]) == (near[i, j] < near[i, k])
        for i in range(12)
        for j in range(12)
        for k in range(12)
        if len({i, j, k}) == 3
    ]
    assert triplet_accuracy(points, places, 0, 100_000) == pytest.approx(np.mean(agree), abs=0.01)
    assert triplet_accuracy(points, points, 0) == 1.0


def test_line_share_knows_a_line_a_disc_and_a_point():
    t = np.linspace(-1, 1, 50)
    assert line_share(np.stack([t, 3 * t + 1], axis=1)) == pytest.approx(1.0)
    circle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    assert line_share(np.stack([np.cos(circle), np.sin(circle)], axis=1)) == pytest.approx(0.5)
    assert line_share(np.full((5, 2), 3.0)) == 1.0
    _, places = example(0)
    direct = np.linalg.eigvalsh(np.cov(places.T))
    assert line_share(places) == pytest.approx(direct[-1] / direct.sum())


def test_brightness_correlation_takes_the_best_axis_whatever_its_direction():
    images = grey(0)
    brightness = images.mean(axis=(1, 2))
    noise = np.random.default_rng(0).normal(size=len(images))
    assert brightness_correlation(images, np.stack([noise, -brightness], 1)) == pytest.approx(1.0)
    expected = abs(np.corrcoef(brightness, noise)[0, 1])
    assert brightness_correlation(images, noise[:, None]) == pytest.approx(expected)


def test_dead_units_are_columns_without_variance():
    codes = np.array([[0.0, 1.0, 5.0], [0.0, 2.0, 5.0]])
    assert dead_units(codes) == 2
    assert dead_units(codes.astype(np.float32)) == 2


def test_a_collapsed_map_scores_as_chance_and_not_as_an_error():
    images, places = grey(0), np.zeros((80, 2))
    labels = np.arange(80) % 10
    card = scorecard(images, places, labels, places, labels, sample=80)
    assert card["triplet_accuracy"] == 0.5
    assert card["distance_correlation"] == card["brightness_correlation"] == 0.0
    assert card["line_share"] == 1.0
    assert card["dead_units"] == 2
    assert abs(card["neighbourhood_auc"]) < 0.1
    for key in ("neighbourhood_curve", "knn_image_interval", "class_purity"):
        del card[key]
    assert all(np.isfinite(value) for value in card.values())


def test_scorecard_ranks_each_space_once_and_agrees_with_its_parts(monkeypatch):
    points, places = example(0, count=90)
    labels = np.arange(90) % 3
    calls = []

    def counted(values):
        calls.append(values.shape)
        return neighbour_ranks(values)

    monkeypatch.setattr(embedding, "neighbour_ranks", counted)
    card = scorecard(points, places, labels, places + 0.01, labels, sample=90, seed=5)
    assert calls == [(90, 20), (90, 2)]
    ranks, map_ranks = neighbour_ranks(points), neighbour_ranks(places)
    kept = card.pop("neighbourhood_curve")
    curve = neighbourhood_curve(ranks, map_ranks)
    assert kept["k"][0] == 1
    assert kept["k"][-1] == len(curve)
    assert kept["kept"] == pytest.approx(curve[np.array(kept["k"]) - 1])
    interval = card.pop("knn_image_interval")
    assert interval["low"] < card["knn_accuracy"] < interval["high"]
    purity = [embedding.neighbours_among(places, labels, [one], [one]) for one in range(3)]
    assert card.pop("class_purity") == purity
    assert card == {
        "lowest_class_purity": min(purity),
        "knn_accuracy": knn_accuracy(places + 0.01, labels, places, labels),
        "trustworthiness": pytest.approx(trustworthiness(ranks, map_ranks)),
        "continuity": pytest.approx(continuity(ranks, map_ranks)),
        "neighbourhood_auc": pytest.approx(
            neighbourhood_auc(neighbourhood_curve(ranks, map_ranks))
        ),
        "triplet_accuracy": triplet_accuracy(points, places, 5),
        "distance_correlation": distance_correlation(points, places, 5),
        "line_share": line_share(places),
        "brightness_correlation": brightness_correlation(points, places),
        "dead_units": 0,
        "rank": 2,
    }
    assert all(type(value) in (float, int) for value in card.values())


def test_scorecard_ranks_a_sample_only_and_repeats_itself(monkeypatch):
    points, places = example(0, count=90)
    labels = np.arange(90) % 3
    sizes = []
    monkeypatch.setattr(
        embedding, "neighbour_ranks", lambda x: (sizes.append(len(x)), neighbour_ranks(x))[1]
    )
    cards = [scorecard(points, places, labels, places, labels, sample=40) for _ in range(2)]
    assert cards[0] == cards[1]
    assert sizes == [40] * 4


def test_bad_input_is_refused_with_a_reason():
    points, places = example(0)
    ranks = neighbour_ranks(places)
    labels = np.zeros(60, dtype=int)
    with pytest.raises(ValueError, match="k: expected from 1 to 29"):
        trustworthiness(ranks, ranks, 30)
    with pytest.raises(ValueError, match="square"):
        continuity(ranks, ranks[:5, :5])
    with pytest.raises(ValueError, match="at least 3"):
        neighbour_ranks(places[:2])
    with pytest.raises(ValueError, match="NaN or infinity in 1 of 60 rows, the first is 4"):
        line_share(np.where(np.arange(60)[:, None] == 4, np.nan, places))
    with pytest.raises(ValueError, match="same items"):
        distance_correlation(points, places[:-1], seed=0)
    with pytest.raises(ValueError, match="rows of one length"):
        knn_accuracy(places, labels, points, labels)
    with pytest.raises(ValueError, match="same items"):
        knn_accuracy(places, labels[:-1], places, labels)
    with pytest.raises(ValueError, match="k: expected"):
        knn_accuracy(places, labels, places, labels, k=61)
    with pytest.raises(ValueError, match="real numbers"):
        dead_units(places.astype(complex))


def test_neighbours_among_counts_classes_without_the_image_itself():
    random = np.random.default_rng(0)
    places = np.concatenate([random.normal(c, 0.1, (20, 2)) for c in (0.0, 5.0, 10.0)])
    labels = np.repeat([0, 1, 2], 20)
    assert embedding.neighbours_among(places, labels, [0], [0]) == 1.0
    assert embedding.neighbours_among(places, labels, [0, 1], [1]) == 0.5
    mixed = np.tile([3, 4], 30)
    shares = [embedding.neighbours_among(places, mixed, [3], [label]) for label in (3, 4)]
    assert sum(shares) == pytest.approx(1.0)
    # all in one place: the image itself is still left out
    assert embedding.neighbours_among(np.zeros((12, 2)), np.arange(12), [5], [5]) == 0.0


def test_neighbours_among_refuses_a_class_that_does_not_occur():
    with pytest.raises(ValueError, match="nothing to count"):
        embedding.neighbours_among(np.zeros((12, 2)), np.zeros(12, int), [7], [0])
