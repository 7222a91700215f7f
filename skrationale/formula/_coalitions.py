"""One term of a formula as a game: the values of coalitions of columns, and what each column adds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import mul, or_

import numpy as np
import sympy as sp
from scipy.special import comb

from .program import Program

CELLS_AT_ONCE = 2**17
"""Rows times background rows that are evaluated together: one array of this size is 1 MB. Not measured."""
PLAYERS_KEPT = 4
"""A factor of up to so many players keeps its values for all coalitions: 14 arrays at most. Not measured."""
N_PERMUTATIONS = 100
"""Orders in which the players of a large term join; half of them are the others walked backwards. Not
measured."""


def contributions(
    game: TermGame, rows: np.ndarray, max_players: int, random_state: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shapley values (n, s) of one term, their standard errors, and rows (n,) where they are NaN."""
    with np.errstate(all="ignore"):
        coalitions = Coalitions(game, rows)
        if len(game.players) <= max_players:
            values, errors = _sum_over_all(coalitions), np.zeros(1)
        else:
            values, errors = _sum_over_permutations(coalitions, random_state)
    undefined = ~np.isfinite(values).all(axis=1)
    nowhere = undefined[:, None]
    return np.where(nowhere, np.nan, values), np.where(nowhere, 0.0, errors), undefined


class _Factor:
    """A factor of a term, none of whose players occur in another factor.

    Coalitions are integers: bit i is set when the term's i-th player takes part.
    """

    def __init__(
        self,
        expr: sp.Expr,
        variables: Sequence[sp.Symbol],
        bits: dict[sp.Symbol, int],
        background: np.ndarray,
    ) -> None:
        self._columns = [j for j, symbol in enumerate(variables) if expr.has(symbol)]
        self._bits = [bits[variables[j]] for j in self._columns]
        self.all_players = reduce(or_, self._bits, 0)
        self._program = Program(expr, [variables[j] for j in self._columns])
        self._background = background[:, self._columns]
        self.background_values = self._program(self._background)

    def row_values(self, rows: np.ndarray) -> np.ndarray:
        """Values (n,) with all players from the rows (n, p)."""
        return self._program(rows[:, self._columns])

    def mixed_values(self, coalition: int, rows: np.ndarray) -> np.ndarray:
        """Values (n, b) with the coalition from each row and the other players from each background row."""
        n, b = len(rows), len(self._background)
        cells = np.empty((len(self._columns), n, b))
        for j, (column, bit) in enumerate(zip(self._columns, self._bits, strict=True)):
            cells[j] = rows[:, [column]] if coalition & bit else self._background[:, j]
        return self._program(cells.reshape(len(cells), n * b).T).reshape(n, b)


class TermGame:
    """A term as a game: who plays, and the factors that are evaluated apart."""

    def __init__(
        self, term: sp.Expr, variables: Sequence[sp.Symbol], players: np.ndarray, background: np.ndarray
    ) -> None:
        owners = {symbol: int(player) for symbol, player in zip(variables, players, strict=True)}
        self.players = sorted({owners[symbol] for symbol in variables if term.has(symbol)})
        bits = {s: 1 << self.players.index(owner) for s, owner in owners.items() if owner in self.players}
        parts = _independent_factors(term, owners)
        self.factors = [_Factor(part, variables, bits, background) for part in parts]
        self.n_background = len(background)
        with np.errstate(all="ignore"):
            self.base = float(reduce(mul, [factor.background_values for factor in self.factors]).mean())

    def rows_at_once(self, max_players: int) -> int:
        """Rows whose values of all coalitions that are asked for fit into memory together."""
        s = len(self.players)
        n_coalitions = 2**s if s <= max_players else N_PERMUTATIONS * s
        return max(1, CELLS_AT_ONCE // max(self.n_background, n_coalitions))


def _independent_factors(term: sp.Expr, owners: dict[sp.Symbol, int]) -> list[sp.Expr]:
    """Split a product into factors that have no player in common."""
    parts: list[tuple[set[int], sp.Expr]] = []
    for factor in sp.Mul.make_args(term):
        own = {owners[symbol] for symbol in factor.free_symbols}
        common = [part for part in parts if part[0] & own]
        parts = [part for part in parts if not part[0] & own]
        parts.append(
            (own.union(*(part[0] for part in common)), sp.Mul(factor, *(part[1] for part in common)))
        )
    return [part[1] for part in parts]


class Coalitions:
    """Values of the coalitions of a game, for some rows."""

    def __init__(self, game: TermGame, rows: np.ndarray) -> None:
        self.game = game
        self._rows = rows
        self._row_values = [factor.row_values(rows) for factor in game.factors]
        self._mixed_values: dict[tuple[int, int], np.ndarray] = {}
        self._values: dict[int, np.ndarray] = {}

    def value(self, coalition: int) -> np.ndarray:
        """Mean of the term over the background, for each row (n,)."""
        if coalition not in self._values:
            self._values[coalition] = self._compute_value(coalition)
        return self._values[coalition]

    def _compute_value(self, coalition: int) -> np.ndarray:
        inside, outside = np.ones(len(self._rows)), np.ones(self.game.n_background)
        mixed: np.ndarray | None = None
        for i, factor in enumerate(self.game.factors):
            part = coalition & factor.all_players
            if part == factor.all_players:
                inside = inside * self._row_values[i]
            elif part == 0:
                outside = outside * factor.background_values
            else:
                cells = self._mixed(i, part)
                mixed = cells if mixed is None else mixed * cells
        return inside * (outside.mean() if mixed is None else mixed @ outside / len(outside))

    def _mixed(self, i: int, part: int) -> np.ndarray:
        if (i, part) in self._mixed_values:
            return self._mixed_values[i, part]
        factor = self.game.factors[i]
        cells = factor.mixed_values(part, self._rows)
        if len(self.game.factors) > 1 and factor.all_players.bit_count() <= PLAYERS_KEPT:
            self._mixed_values[i, part] = cells
        return cells


def _sum_over_all(coalitions: Coalitions) -> np.ndarray:
    """Shapley values (n, s) from all 2^s coalitions."""
    s = len(coalitions.game.players)
    masks = np.arange(2**s)
    takes_part = (masks >> np.arange(s)[:, None]) & 1
    others = takes_part.sum(axis=0) - takes_part
    weights = np.where(takes_part, 1.0, -1.0) / (s * comb(s - 1, others))
    return (weights @ [coalitions.value(int(mask)) for mask in masks]).T


def _sum_over_permutations(coalitions: Coalitions, random_state: int) -> tuple[np.ndarray, np.ndarray]:
    """Estimates (n, s) and their standard errors, from permutations that are also walked backwards."""
    game = coalitions.game
    rng = np.random.RandomState(random_state)
    nobody = coalitions.value(0)
    estimates = np.zeros((N_PERMUTATIONS // 2, len(nobody), len(game.players)))
    for estimate in estimates:
        order = rng.permutation(len(game.players))
        for direction in (order, order[::-1]):
            coalition, before = 0, nobody
            for player in direction:
                coalition |= 1 << int(player)
                after = coalitions.value(coalition)
                estimate[:, player] += (after - before) / 2
                before = after
    return estimates.mean(axis=0), estimates.std(axis=0, ddof=1) / np.sqrt(len(estimates))
