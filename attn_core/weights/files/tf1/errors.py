"""The errors of everything that reads TensorFlow's files."""


class CheckpointError(ValueError):
    """A checkpoint is damaged, incomplete or not one; the message names the file and what is wrong with it."""


class UnknownOpError(CheckpointError):
    """A graph holds an operation that is not known here; the message says where."""
