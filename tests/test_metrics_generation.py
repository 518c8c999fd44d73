import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, ndimage, stats
from scipy.spatial.distance import cdist

from bench.metrics.generation import (
    checkerboard,
    class_histogram,
    density_coverage,
    frechet_distance,
    kernel_distance,
    missing_classes,
    nearest_distance_ratio,
    nearest_neighbours,
    path_smoothness,
    precision_recall,
    sharpness,
    spherical_interpolation,
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


# Patterns


def natural(seed, count=200):
    """Images whose spectrum falls like that of photographs, in no regular pattern."""
    noise = np.fft.fft2(np.random.default_rng(seed).normal(size=(count, 28, 28)))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(28), np.fft.fftfreq(28)))
    pixels = np.fft.ifft2(noise / (frequency + 0.03)).real
    return 128 + 40 * pixels / pixels.std()


def patterned(images, period, strength):
    """Brighten every other part of the period along both axes, as uneven overlaps do."""
    wave = np.where(np.arange(28) % period < period // 2, 1, -1)
    return images * (1 + strength * np.outer(wave, wave))


@pytest.mark.parametrize("period", [2, 4])
def test_a_made_checkerboard_is_found(period):
    real, images = natural(0), natural(1)
    values = [checkerboard(patterned(images, period, s), real) for s in (0.0, 0.1, 0.3)]
    assert values[0] == pytest.approx(1.0, abs=0.1)
    assert values[1] > 1.2
    assert values[2] > 2 * values[1] - 1


def test_stripes_of_one_axis_are_found_too():
    real, images = natural(0), natural(1)
    stripes = np.where(np.arange(28) % 2, 10, -10)
    across, along = (checkerboard(images + s, real) for s in (stripes[:, None], stripes[None, :]))
    assert across > 1.5
    assert along == pytest.approx(across, rel=0.2)


def test_blur_noise_and_contrast_are_no_checkerboard():
    real, images = natural(0), natural(1)
    assert checkerboard(real, real) == 1.0
    assert checkerboard(images / 3, real) == pytest.approx(checkerboard(images, real))
    for width in (0.5, 1.0, 2.0):
        blurred = ndimage.gaussian_filter(images, (0, width, width))
        assert checkerboard(np.rint(blurred), real) < 1.15
    noisy = images + np.random.default_rng(0).normal(0, 20, images.shape)
    assert checkerboard(noisy, real) == pytest.approx(1.0, abs=0.15)


def test_the_energy_of_a_pattern_is_compared_with_that_beside_it():
    power = np.ones((16, 16))
    power[8, :] = 5.0  # period 2 along the first axis alone
    flat = np.fft.ifft2(np.sqrt(power)).real[None]
    even = np.fft.ifft2(np.ones((16, 16))).real[None]
    assert checkerboard(flat, even) == pytest.approx((5 + 1 + 1 + 1) / 4)


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


@few
@given(seeds, st.integers(2, 40))
def test_a_spherical_path_keeps_the_length_and_turns_evenly(seed, width):
    ends = np.random.default_rng(seed).normal(size=(2, 5, width))
    start, end = 3 * ends / np.linalg.norm(ends, axis=-1, keepdims=True)
    path = spherical_interpolation(start, end, np.linspace(0, 1, 7))
    np.testing.assert_allclose(path[:, 0], start, atol=1e-9)
    np.testing.assert_allclose(path[:, -1], end, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(path, axis=-1), 3, rtol=1e-6)
    steps = np.linalg.norm(np.diff(path, axis=1), axis=-1)
    np.testing.assert_allclose(steps, np.repeat(steps[:, :1], 6, axis=1), rtol=1e-4)


def test_a_quarter_turn_goes_through_the_diagonal_and_float32_stays():
    start, end = np.array([[[2, 0]], [[0, 2]]], dtype="float32")
    path = spherical_interpolation(start, end, np.array([0.5]))
    np.testing.assert_allclose(path[0, 0], [np.sqrt(2), np.sqrt(2)], rtol=1e-6)
    assert path.dtype == np.float32


def test_codes_of_one_direction_are_joined_by_a_straight_line():
    start = np.array([[1.0, 1.0], [1.0, 0.0]])
    end = np.array([[3.0, 3.0], [-1.0, 0.0]])
    path = spherical_interpolation(start, end, np.array([0.0, 0.25, 1.0]))
    expected = [[[1, 1], [1.5, 1.5], [3, 3]], [[1, 0], [0.5, 0], [-1, 0]]]
    np.testing.assert_allclose(path, expected, atol=1e-12)


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
    with pytest.raises(ValueError, match="flat"):
        sharpness(grey(0), np.zeros((3, 28, 28)))
    with pytest.raises(ValueError, match="some detail"):
        checkerboard(grey(0), np.ones((3, 28, 28)))
    with pytest.raises(ValueError, match="divisible by 4"):
        checkerboard(grey(0)[:, 1:], grey(0))
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
