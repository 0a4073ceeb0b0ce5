"""Weights: their canonical form, the files that hold them (`files`), other people's names and layouts (`dialects`)."""

from attn_core.weights.canonical import Weights, check, initialise, load, save
from attn_core.weights.files.errors import UndefinedWarning, WeightsError

__all__ = ["UndefinedWarning", "Weights", "WeightsError", "check", "initialise", "load", "save"]
