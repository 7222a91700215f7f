"""Pictures of digits, and scenes of four tiles of which one decides."""

import numpy as np
from sklearn.datasets import load_digits

X, Y = load_digits(return_X_y=True)
DIGITS = X.reshape(-1, 8, 8).astype(np.uint8)
N_TRAIN = 1200
"""Digits of training scenes; those of new scenes are others."""


def needle_scenes(n, seed, *, new=False):
    """Make scenes (n, 16, 16): one tile of four is a digit 0 to 4, the others have shuffled pixels.

    Returns
    -------
    scenes : ndarray of shape (n, 16, 16)
    digit : ndarray of shape (n,)
    truth : ndarray of bool of shape (n, 2, 2)
    """
    rng = np.random.RandomState(seed)
    half = slice(N_TRAIN, None) if new else slice(N_TRAIN)
    digits, labels = DIGITS[half], Y[half]
    tiles = digits[rng.randint(len(digits), size=(n, 4))].reshape(n, 4, 64)
    shuffled = rng.rand(n, 4, 64).argsort(axis=2)
    tiles = np.take_along_axis(tiles, shuffled, 2).reshape(n, 4, 8, 8)
    places, few = rng.randint(4, size=n), np.flatnonzero(labels < 5)
    chosen = few[rng.randint(len(few), size=n)]
    tiles[np.arange(n), places] = digits[chosen]
    scenes = tiles.reshape(n, 2, 2, 8, 8).swapaxes(2, 3).reshape(n, 16, 16)
    return scenes, labels[chosen], (np.arange(4) == places[:, None]).reshape(n, 2, 2)
