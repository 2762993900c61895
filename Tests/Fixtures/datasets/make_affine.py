"""Writes affine.txt beside it: what scipy gives for the affine maps of Keras's augmentation.

Made with numpy 2.4.6, scipy 1.17.1. The matrix is the one that Keras 2.12 documents for
apply_affine_transform: rotation * shift * zoom about the centre (h/2 - 0.5, w/2 - 0.5), from
output to input, applied by scipy.ndimage.affine_transform(order=1, mode="nearest") per channel.

One case a line, numbers in decimal:
height width channels rotation_degrees row_shift column_shift row_zoom column_zoom | pixels | values
"""

import pathlib

import numpy as np
import scipy.ndimage

# height, width, channels, degrees, shift of rows and columns in pixels, zoom of rows and columns
CASES = [
    (4, 4, 1, 90.0, 0.0, 0.0, 1.0, 1.0),
    (5, 4, 1, 0.0, 1.25, -0.5, 1.0, 1.0),
    (6, 7, 2, 0.0, 0.0, 0.0, 0.9, 1.1),
    (6, 6, 3, 15.0, 0.0, 0.0, 1.0, 1.0),
    (8, 8, 3, -11.3, 0.7, -0.35, 1.0, 1.0),
    (7, 9, 3, 9.7, -0.31, 0.4, 0.93, 1.08),
    (1, 5, 1, 10.0, 0.05, 0.2, 1.05, 0.95),
    (5, 1, 2, 0.0, 2.0, -3.0, 1.0, 1.0),
    (6, 6, 1, 180.0, 0.0, 0.0, 1.0, 1.0),
    (12, 10, 3, 14.2, 1.1, -0.9, 0.91, 0.97),
]


def turned(degrees):
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def main():
    random = np.random.default_rng(7)
    lines = []
    for height, width, channels, degrees, row, column, row_zoom, column_zoom in CASES:
        image = random.integers(0, 256, (height, width, channels), dtype=np.uint8)
        rotation = turned(degrees)
        linear = rotation @ np.diag([row_zoom, column_zoom])
        centre = np.array([height / 2 - 0.5, width / 2 - 0.5])
        offset = rotation @ np.array([row, column]) + centre - linear @ centre
        mapped = np.stack(
            [
                scipy.ndimage.affine_transform(
                    image[..., c].astype(np.float64), linear, offset, order=1, mode="nearest"
                )
                for c in range(channels)
            ],
            axis=-1,
        )
        numbers = (height, width, channels, degrees, row, column, row_zoom, column_zoom)
        lines.append(
            " ".join(repr(n) for n in numbers)
            + " | " + " ".join(str(p) for p in image.ravel())
            + " | " + " ".join(f"{v:.6f}" for v in mapped.ravel())
        )
    path = pathlib.Path(__file__).with_name("affine.txt")
    path.write_text("\n".join(lines) + "\n")


main()
