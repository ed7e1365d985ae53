"""A fitted model: its weights, its prediction in NumPy, its file."""

from cuesta.model.activation import activate, softmax
from cuesta.model.file import load_model, read_with, save_with
from cuesta.model.fitted import FittedModel, Prediction

__all__ = [
    "FittedModel",
    "Prediction",
    "activate",
    "load_model",
    "read_with",
    "save_with",
    "softmax",
]
