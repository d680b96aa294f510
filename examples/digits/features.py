"""From an image file to what the model takes. transform.ts does the same, and golden cases hold the two together."""

import io

import numpy
from PIL import Image

SIZE = 8


def features(data: bytes) -> numpy.ndarray:
    """The 64 features of a PNG or JPEG file: how much ink is in each cell of an 8 x 8 grid around the digit, 0 to 16."""
    return ink_features(luminance(data))


def luminance(data: bytes) -> numpy.ndarray:
    """Rows of whole numbers from 0 (black) to 255; what is transparent is white."""
    image = Image.open(io.BytesIO(data))
    if image.mode.startswith("I"):  # 16 bits a sample
        return numpy.asarray(image).astype(int) >> 8
    rgba = numpy.asarray(image.convert("RGBA")).astype(int)
    red, green, blue, alpha = (rgba[:, :, channel] for channel in range(4))
    # As Pillow's own convert("L"), ITU-R 601-2.
    luma = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
    return (luma * alpha + 255 * (255 - alpha) + 127) // 255


def ink_features(gray: numpy.ndarray) -> numpy.ndarray:
    """The features of luminances, row by row."""
    border = numpy.concatenate([gray[0], gray[-1], gray[1:-1, 0], gray[1:-1, -1]])
    # Dark on light, or light on dark: the border tells which is the paper.
    ink = 255 - gray if border.sum() * 2 > 255 * border.size else gray
    marked = ink * 4 > ink.max()
    if not marked.any():
        raise ValueError("the image is empty: there is no digit in it")
    rows, columns = numpy.flatnonzero(marked.any(1)), numpy.flatnonzero(marked.any(0))
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    side = max(box.shape)
    square = numpy.zeros((side, side))
    top, left = (side - box.shape[0]) // 2, (side - box.shape[1]) // 2
    square[top : top + box.shape[0], left : left + box.shape[1]] = box
    cells = weights(side)
    # The darkest stroke counts as black: a pencil's grey is as good as ink.
    grid = cells @ square @ cells.T * 16 / ink.max()
    return grid.astype("float32").ravel()


def weights(side: int) -> numpy.ndarray:
    """Share of each of `side` pixels in each of 8 cells: a cell is the mean of what it covers."""
    edges = numpy.arange(SIZE + 1) * side / SIZE
    pixels = numpy.arange(side)
    covered = numpy.minimum(edges[1:, None], pixels + 1) - numpy.maximum(edges[:-1, None], pixels)
    return numpy.clip(covered, 0, None) * SIZE / side
