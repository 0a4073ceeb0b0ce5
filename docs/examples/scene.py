"""Hyperspectral scenes for the example beside this file: made up or read, reduced, cut into patches, split."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.io import loadmat
from scipy.ndimage import gaussian_filter, gaussian_filter1d, maximum_filter, minimum_filter
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split

Array = np.ndarray[Any, np.dtype[Any]]


class Scene(NamedTuple):
    """A cube (rows, columns, bands) and its ground truth (rows, columns), whole numbers with 0 for unlabelled."""

    cube: Array
    truth: Array


def synthetic(seed: int, edge: int = 64, bands: int = 60, classes: int = 6) -> Scene:
    """Make up a scene, the same for the same seed.

    Each class has a smooth random field; the strongest field at a pixel is the pixel's class. Where classes touch,
    pixels are unlabelled. Each class has a smooth spectrum. A pixel's spectrum is a random mixture of them, in which
    the pixel's own class tends to have the largest share, times the pixel's brightness, plus noise: one pixel alone
    is hard to tell, its neighbourhood helps.
    """
    rng = np.random.default_rng(seed)
    fields = gaussian_filter(rng.normal(size=(classes, edge, edge)), (0, 5, 5))
    fields /= fields.std((1, 2), keepdims=True)
    labels = fields.argmax(0) + 1
    border = maximum_filter(labels, 2) != minimum_filter(labels, 2)
    common = 1 + gaussian_filter1d(rng.normal(size=bands), 8)
    spectra = common + gaussian_filter1d(rng.normal(size=(classes, bands)), 5, axis=1)
    shares = rng.gamma(0.7, size=(edge, edge, classes)) * np.exp(2.5 * np.moveaxis(fields, 0, -1))
    shares /= shares.sum(-1, keepdims=True)
    brightness = rng.lognormal(0, 0.2, size=(edge, edge, 1))
    noise = 0.1 * rng.normal(size=(edge, edge, bands))
    return Scene(brightness * (shares @ spectra) + noise, np.where(border, 0, labels))


def read(cube: Path, truth: Path) -> Scene:
    """Read a scene from two .mat files; raises `ValueError` or `OSError` where they are none."""
    scene = Scene(_only(cube, "3-D array of numbers", _is_cube), _only(truth, "2-D array of labels", _is_truth))
    if scene.cube.shape[:2] != scene.truth.shape:
        rows, columns, pixels = (*scene.cube.shape[:2], " x ".join(map(str, scene.truth.shape)))
        raise ValueError(f"{cube} has {rows} x {columns} pixels and {truth} has {pixels}: they must match.")
    if not np.isfinite(scene.cube).all():
        raise ValueError(f"{cube} holds numbers that are not finite: replace them first.")
    if len(np.unique(scene.truth[scene.truth > 0])) < 2:
        raise ValueError(f"{truth} has labels of less than two classes: there is nothing to tell apart.")
    return scene._replace(truth=scene.truth.astype(int))


def _only(path: Path, wanted: str, fits: Callable[[Array], bool]) -> Array:
    """Return the one array in a .mat file that fits."""
    with path.open("rb") as file:
        try:
            found = loadmat(file)
        except NotImplementedError:
            raise ValueError(f"{path} is of MATLAB 7.3, which is not read here: save it with -v7 in MATLAB.") from None
        except Exception:  # a damaged file meets any error in loadmat
            raise ValueError(f"{path} is damaged or no .mat file.") from None
    arrays = {name: array for name, array in found.items() if isinstance(array, np.ndarray) and fits(array)}
    if len(arrays) != 1:
        raise ValueError(f"{path} must hold one {wanted}; it holds {', '.join(arrays) or 'none'}.")
    return next(iter(arrays.values()))


def _is_cube(array: Array) -> bool:
    return array.ndim == 3 and array.dtype.kind in "iuf"


def _is_truth(array: Array) -> bool:
    """Tell labels, which MATLAB may have saved as floating-point numbers, from others and from scalars."""
    numbers = array.ndim == 2 and array.size > 1 and array.dtype.kind in "iuf"
    return numbers and bool(((array >= 0) & (array == np.floor(array))).all())


def components(cube: Array, bands: int, seed: int) -> tuple[Array, float]:
    """Reduce a cube to whitened principal components; return it with their share of the variance."""
    rows, columns, given = cube.shape
    if bands > min(given, rows * columns):
        raise ValueError(f"{bands} principal components cannot be taken of {given} bands in {rows * columns} pixels.")
    pca = PCA(bands, whiten=True, random_state=seed)
    reduced = pca.fit_transform(cube.reshape(-1, given).astype(np.float64))
    return reduced.reshape(rows, columns, bands).astype(np.float32), float(pca.explained_variance_ratio_.sum())


def windows(cube: Array, size: int) -> Array:
    """Return a view (rows, columns, bands, size, size): the patch around each pixel, mirrored at the border."""
    if size % 2 == 0:
        raise ValueError(f"a patch of {size} pixels has no centre: give an odd size.")
    margin = size // 2
    padded = np.pad(cube, ((margin, margin), (margin, margin), (0, 0)), mode="symmetric")
    return sliding_window_view(padded, (size, size), axis=(0, 1))


def split(truth: Array, share: float, seed: int) -> tuple[Array, Array]:
    """Split the labelled pixels, each class alike, into training and test pixels, each (pixels, 2)."""
    pixels = np.argwhere(truth)
    labels = truth[tuple(pixels.T)]
    counts = zip(*np.unique(labels, return_counts=True), strict=True)
    few = [f"{name:g} ({n})" for name, n in counts if n * share < 1 or n - n * share < 1]
    if few:
        raise ValueError(f"too few labelled pixels for a training share of {share:g} in class {', '.join(few)}.")
    train, test = train_test_split(pixels, train_size=share, stratify=labels, random_state=seed)
    return train, test
