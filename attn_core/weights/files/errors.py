"""The errors of files of arrays; those of TensorFlow's own files are in `tf1/errors.py`."""


class WeightsError(ValueError):
    """Weights that are not the block's, or a file that holds none."""


class DialectError(ValueError):
    """Arrays that are not what a dialect says, or a block that it cannot express; the message names each fault."""


class UndefinedWarning(UserWarning):
    """Weights that hold NaN or infinity."""
