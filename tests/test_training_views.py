"""Views of images, against shifts by hand."""

import numpy as np

from bench.training.views import Views

IMAGE = np.arange(1, 13, dtype=np.uint8).reshape(1, 3, 4)


def test_one_view_is_the_image():
    (view,) = Views().of(IMAGE)
    np.testing.assert_array_equal(view, IMAGE)


def test_a_mirrored_view_follows_each():
    plain, mirrored = Views(mirrored=True).of(IMAGE)
    np.testing.assert_array_equal(plain, IMAGE)
    np.testing.assert_array_equal(mirrored[0, 0], [4, 3, 2, 1])


def test_a_shift_by_a_pixel_makes_five_views_with_black_coming_in():
    still, down, up, right, left = Views(shift=1).of(IMAGE)
    np.testing.assert_array_equal(still, IMAGE)
    np.testing.assert_array_equal(down[0], [[0, 0, 0, 0], [1, 2, 3, 4], [5, 6, 7, 8]])
    np.testing.assert_array_equal(up[0], [[5, 6, 7, 8], [9, 10, 11, 12], [0, 0, 0, 0]])
    np.testing.assert_array_equal(right[0], [[0, 1, 2, 3], [0, 5, 6, 7], [0, 9, 10, 11]])
    np.testing.assert_array_equal(left[0], [[2, 3, 4, 0], [6, 7, 8, 0], [10, 11, 12, 0]])


def test_all_views_have_the_image_s_shape():
    assert {view.shape for view in Views(shift=2, mirrored=True).of(IMAGE)} == {IMAGE.shape}
    assert len(list(Views(shift=2, mirrored=True).of(IMAGE))) == 10
