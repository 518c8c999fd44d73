import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, ndimage, stats
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from bench.metrics.generation import (
    class_histogram,
    density_coverage,
    different_bins,
    frechet_distance,
    kernel_distance,
    missing_classes,
    nearest_distance_ratio,
    nearest_neighbours,
    path_smoothness,
    precision_recall,
    sharpness,
)

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=15, deadline=None)


def features(seed, count=80, width=6):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(count, width)) @ generator.normal(size=(width, width))


def grey(seed, count=40):
    noise = np.random.default_rng(seed).random((count, 28, 28))
    return (255 * ndimage.gaussian_filter(noise, (0, 1, 1))).astype(np.uint8)


# Frechet distance


@few
@given(seeds)
def test_frechet_distance_agrees_with_the_matrix_square_root(seed):
    a, b = features(seed), features(seed + 1) + 0.3
    one, two = np.cov(a.T), np.cov(b.T)
    root = linalg.sqrtm(one @ two).real
    direct = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(one + two - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(direct, rel=1e-6)
    assert frechet_distance(b, a) == pytest.approx(frechet_distance(a, b))


@few
@given(seeds)
def test_frechet_distance_is_zero_for_equal_sets_and_a_shift_adds_its_square(seed):
    a = features(seed)
    step = np.arange(6.0)
    assert frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, a + step) == pytest.approx((step**2).sum())


def test_frechet_distance_of_one_feature_is_that_of_two_normal_distributions():
    a, b = np.array([[0.0], [2.0]]), np.array([[3.0], [7.0]])
    # Means 1 and 5, standard deviations sqrt(2) and sqrt(8).
    assert frechet_distance(a, b) == pytest.approx(16 + 2)


def test_frechet_distance_stays_real_where_covariances_are_singular():
    a, b = features(0, count=5, width=40), features(1, count=4, width=40)
    value = frechet_distance(a, b)
    assert isinstance(value, float)
    assert value > 0
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9 * np.trace(np.cov(a.T)))
    flat = np.ones((3, 4))
    assert frechet_distance(flat, flat) == 0.0


@few
@given(seeds)
def test_turning_both_sets_changes_no_distance(seed):
    a, b = features(seed), features(seed + 1)
    turn = stats.ortho_group.rvs(6, random_state=seed)
    assert frechet_distance(a @ turn, b @ turn) == pytest.approx(frechet_distance(a, b))
    assert kernel_distance(a @ turn, b @ turn, 0) == pytest.approx(kernel_distance(a, b, 0))


# Kernel distance


@few
@given(seeds)
def test_kernel_distance_agrees_with_the_double_sum(seed):
    a, b = features(seed, 12), features(seed + 1, 12)

    def kernel(x, y):
        return (x @ y / 6 + 1) ** 3

    within = sum(
        kernel(s[i], s[j]) for s in (a, b) for i in range(12) for j in range(12) if i != j
    ) / (12 * 11)
    between = sum(kernel(x, y) for x in a for y in b) / 144
    assert kernel_distance(a, b, seed) == pytest.approx(within - 2 * between)


def test_kernel_distance_is_unbiased_and_grows_with_the_difference():
    generator = np.random.default_rng(0)
    null = [kernel_distance(*generator.normal(size=(2, 50, 4)), 0) for _ in range(300)]
    assert abs(np.mean(null)) < 4 * np.std(null) / np.sqrt(300)
    assert min(null) < 0 < max(null)
    a, b = generator.normal(size=(2, 400, 4))
    values = [kernel_distance(a, b + step, 0, subsets=20, subset_size=100) for step in (0, 1, 2)]
    assert values == sorted(values)
    assert values[1] > 0.1


def test_kernel_distance_depends_on_its_seed_only():
    a, b = features(0), features(1)
    first, again, other = (kernel_distance(a, b, s, subsets=3, subset_size=20) for s in (0, 0, 1))
    assert first == again != other


# Balls


def naive_balls(real, generated, k):
    def radii(points):
        return np.sort(cdist(points, points), axis=1)[:, k]

    between = cdist(real, generated)
    in_real, in_generated = between <= radii(real)[:, None], between <= radii(generated)
    open_real = between < radii(real)[:, None]
    return (
        (in_real.any(axis=0).mean(), in_generated.any(axis=1).mean()),
        (open_real.sum() / (k * len(generated)), open_real.any(axis=1).mean()),
    )


@few
@given(seeds, st.integers(1, 9), st.integers(10, 70))
def test_balls_agree_with_the_definition(seed, k, count):
    a, b = features(seed, 60, 10), features(seed, count, 10) + 0.5
    pr, dc = naive_balls(a, b, k)
    assert precision_recall(a, b, k) == pytest.approx(pr)
    assert density_coverage(a, b, k) == pytest.approx(dc)


@few
@given(seeds, st.integers(1, 9), st.sampled_from([2, 8, 9, 30]))
def test_equal_sets_get_one_everywhere_and_far_ones_zero(seed, k, width):
    a = np.random.default_rng(seed).normal(size=(60, width))
    shuffled = np.random.default_rng(seed).permutation(a)
    assert precision_recall(a, shuffled, k) == (1.0, 1.0)
    assert density_coverage(a, shuffled, k) == (1.0, 1.0)
    assert precision_recall(a, a + 1e3, k) == (0.0, 0.0)
    assert density_coverage(a, a + 1e3, k) == (0.0, 0.0)


def test_a_dropped_mode_costs_recall_and_coverage_not_precision_and_density():
    generator = np.random.default_rng(0)
    modes = np.repeat([[0.0, 0.0], [20.0, 0.0]], 150, axis=0)
    real = modes + generator.normal(size=(300, 2))
    half = generator.normal(size=(300, 2))
    precision, recall = precision_recall(real, half)
    density, coverage = density_coverage(real, half)
    assert precision > 0.9
    assert density > 0.9
    assert recall < 0.55
    assert coverage < 0.55


def test_the_rim_belongs_to_the_balls_of_precision_not_to_those_of_density():
    real, generated = np.array([[0.0], [1.0]]), np.array([[2.0], [2.0]])  # radii 1 and 0
    assert precision_recall(real, generated, k=1) == (1.0, 0.0)
    assert density_coverage(real, generated, k=1) == (0.0, 0.0)


# Bins


def test_different_bins_agree_with_a_test_bin_by_bin():
    found = set()
    for seed in range(12):
        a, b = features(seed, 400, 2), features(seed, 700, 2)[400:] + 0.1
        clusters = KMeans(n_clusters=3, n_init=1, random_state=seed).fit(a)
        one = np.bincount(clusters.labels_, minlength=3)
        two = np.bincount(clusters.predict(b), minlength=3)
        # Squared, the pooled two-proportion z is Pearson's chi-squared of the 2 x 2 table.
        different = sum(
            stats.chi2_contingency([[x, 400 - x], [y, 300 - y]], correction=False).pvalue < 0.05
            for x, y in zip(one, two, strict=True)
        )
        result = different_bins(a, b, seed=seed, bins=3)
        assert result.different == different
        assert result.share == different / 3
        p, q = one / 400, two / 300
        direct = 0.5 * sum(
            x * np.log(2 * x / (x + y))
            for one_way in ((p, q), (q, p))
            for x, y in zip(*one_way, strict=True)
            if x > 0
        )
        assert result.divergence == pytest.approx(direct)
        found.add(different)
    assert len(found) > 2


def test_equal_sets_fill_the_bins_alike_and_a_collapsed_one_does_not():
    a = features(0, 400)
    assert different_bins(a, a[::-1], seed=0, bins=10) == (0, 0.0, pytest.approx(0.0, abs=1e-12))
    collapsed = different_bins(a, np.repeat(a[:1], 400, axis=0), seed=0, bins=10)
    assert collapsed.different == 10
    assert 0.4 < collapsed.divergence <= np.log(2)


# Classes


def test_class_histogram_counts_and_missing_classes_are_below_the_threshold():
    scores = np.eye(4)[[0, 0, 0, 1]]
    histogram = class_histogram(scores)
    assert histogram.tolist() == [0.75, 0.25, 0.0, 0.0]
    assert missing_classes(histogram) == [2, 3]
    assert missing_classes(histogram, 0.0) == []
    assert missing_classes(histogram, 0.5) == [1, 2, 3]


# Sharpness


def test_sharpness_agrees_with_the_laplacian_of_each_image():
    images, real = grey(0), grey(1) // 2
    detail = [
        np.mean([ndimage.laplace(x.astype(float))[1:-1, 1:-1].var() for x in stack])
        for stack in (images, real)
    ]
    assert sharpness(images, real) == pytest.approx(detail[0] / detail[1])


def test_blur_lowers_sharpness_and_noise_raises_it():
    real = grey(0).astype(float)
    blurred = ndimage.gaussian_filter(real, (0, 1, 1))
    noisy = real + np.random.default_rng(0).normal(0, 20, real.shape)
    assert sharpness(real, real) == 1.0
    assert sharpness(blurred, real) < 0.5
    assert sharpness(noisy, real) > 1.5


# Nearest neighbours


@few
@given(seeds, st.integers(1, 50), st.booleans())
def test_nearest_neighbours_agree_with_all_distances(seed, block, scaled):
    samples, training = grey(seed, 30), grey(seed + 1, 50)
    if scaled:
        samples, training = samples / 255.0, training / 255.0
    distances, indices = nearest_neighbours(samples, training, block)
    full = cdist(samples.reshape(30, -1).astype(float), training.reshape(50, -1).astype(float))
    np.testing.assert_allclose(distances, full.min(axis=1))
    np.testing.assert_allclose(full[np.arange(30), indices], full.min(axis=1))
    if not scaled:  # rounding decides ties between floats, the first row those of grey values
        assert indices.tolist() == full.argmin(axis=1).tolist()


def test_copies_are_found_across_tiles_with_distance_zero(monkeypatch):
    monkeypatch.setattr("bench.metrics.neighbours.TILE", 7)
    training = grey(0, 50)
    distances, indices = nearest_neighbours(training[::-1], training, block=9)
    assert (distances == 0).all()
    assert indices.tolist() == list(range(49, -1, -1))
    twice = np.concatenate([training, training])
    assert nearest_neighbours(training, twice)[1].tolist() == list(range(50))


def test_a_limit_keeps_the_first_samples():
    samples, training = grey(0, 30), grey(1, 50)
    every, some = (nearest_neighbours(samples, training, limit=n) for n in (None, 10))
    assert some[0].tolist() == every[0][:10].tolist()
    assert len(some[1]) == 10


def test_nearest_distance_ratio_tells_copies_from_new_images():
    training, held_out, new = grey(0, 100), grey(1), grey(2)
    assert nearest_distance_ratio(training[:40], held_out, training) == 0.0
    assert nearest_distance_ratio(new, held_out, training) == pytest.approx(1.0, abs=0.1)
    assert nearest_distance_ratio(255 - new, held_out, training) > 0.5
    with pytest.raises(ValueError, match="not trained on"):
        nearest_distance_ratio(new, training[:10], training)


# Paths


@few
@given(seeds, st.integers(2, 12))
def test_a_straight_path_is_even_and_one_jump_is_the_worst(seed, steps):
    start, end = grey(seed, 2).astype(float)
    along = np.linspace(0, 1, steps + 1)[:, None, None]
    straight = (1 - along) * start + along * end
    jump = np.where(along < 0.5, start, end)
    assert path_smoothness(straight[None]) == pytest.approx(1.0)
    assert path_smoothness(jump[None]) == pytest.approx(steps)
    both = path_smoothness(np.stack([straight, jump]))
    assert both == pytest.approx((1 + steps) / 2)
    assert path_smoothness(7 * straight[None]) == pytest.approx(1.0)


def test_paths_that_stand_still_are_left_out():
    still = np.zeros((1, 4, 28, 28), dtype=np.uint8)
    moving = still + np.array([0, 1, 2, 6], dtype=np.uint8)[None, :, None, None]
    assert path_smoothness(still) is None
    assert path_smoothness(moving) == pytest.approx(2.0)
    assert path_smoothness(np.concatenate([still, moving])) == pytest.approx(2.0)


# Refusals


def test_bad_input_is_refused_with_a_reason():
    a = features(0)
    nan = np.where(np.arange(80)[:, None] == 3, np.nan, a)
    for metric in (frechet_distance, precision_recall, density_coverage):
        with pytest.raises(ValueError, match="the first is 3"):
            metric(a, nan)
        with pytest.raises(ValueError, match="one length"):
            metric(a, a[:, :3])
    with pytest.raises(ValueError, match="at least 2"):
        frechet_distance(a, a[:1])
    with pytest.raises(ValueError, match="k: expected from 1 to 4"):
        precision_recall(a, a[:5], k=5)
    assert density_coverage(a, a[:5], k=5)[1] > 0
    with pytest.raises(ValueError, match="bins"):
        different_bins(np.repeat(a[:3], 30, axis=0), a, seed=0, bins=4)
    with pytest.raises(ValueError, match="significance"):
        different_bins(a, a, seed=0, bins=4, significance=5)
    with pytest.raises(ValueError, match="flat"):
        sharpness(grey(0), np.zeros((3, 28, 28)))
    with pytest.raises(ValueError, match="channel"):
        sharpness(grey(0)[..., None], grey(0))
    with pytest.raises(ValueError, match="3 frames"):
        path_smoothness(grey(0, 2)[None])
    with pytest.raises(ValueError, match="percentage"):
        missing_classes(np.full(10, 0.1), 10)
    with pytest.raises(ValueError, match="sum"):
        missing_classes(np.full(10, 0.2))
    with pytest.raises(ValueError, match="limit"):
        nearest_neighbours(grey(0), grey(1), limit=0)
