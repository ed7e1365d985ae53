"""A fitted model: its networks, their prediction in NumPy, its file."""

from cuesta.model.activation import activate, softmax
from cuesta.model.calibration import Calibration, FoldResiduals
from cuesta.model.file import load_model, read_with, save_with
from cuesta.model.fitted import FittedModel
from cuesta.model.member import Member
from cuesta.model.network import Network
from cuesta.model.predictions import Prediction
from cuesta.model.temperature import sharpened

__all__ = [
    "Calibration",
    "FittedModel",
    "FoldResiduals",
    "Member",
    "Network",
    "Prediction",
    "activate",
    "load_model",
    "read_with",
    "save_with",
    "sharpened",
    "softmax",
]
