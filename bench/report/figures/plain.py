"""What drawings and the explorer share: colours and frames, without Matplotlib."""

from colorsys import hsv_to_rgb

import numpy as np

OUTLIERS = 0.2  # per cent of the points on each side that the frame may leave out

# Paul Tol's "muted" scheme (safe for colour-blind readers), with a tenth grey. Every class is
# also labelled where it lies, so that nothing rests on colour alone.
CLASS_COLOURS = (
    "#332288",
    "#ddaa33",
    "#88ccee",
    "#117733",
    "#44aa99",
    "#cc6677",
    "#882255",
    "#aa4499",
    "#999933",
    "#777777",
)


def class_colours(count: int) -> tuple[str, ...]:
    """Colours of so many classes: with more than ten, evenly spaced hues of two shades."""
    if count <= len(CLASS_COLOURS):
        return CLASS_COLOURS[:count]
    shades = ((0.75, 0.75), (0.9, 0.5))  # saturation and value, by turns
    hues = (hsv_to_rgb(label / count, *shades[label % 2]) for label in range(count))
    return tuple("#" + "".join(f"{round(255 * part):02x}" for part in hue) for hue in hues)


def map_frame(points: np.ndarray) -> tuple[float, float, float, float]:
    """Return left, right, lower and upper limit of a map without its outermost few points."""
    low, high = np.percentile(points, [OUTLIERS, 100 - OUTLIERS], axis=0)
    margin = np.maximum((high - low) * 0.05, 1e-6)
    (left, bottom), (right, top) = low - margin, high + margin
    return float(left), float(right), float(bottom), float(top)
