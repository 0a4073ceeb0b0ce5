"""TensorFlow 1 files, read without TensorFlow: ``pip install 'attn-blocks[tf1]'``.

These names are found as `attn_core.tf1`. Where to start reading: a checkpoint is opened in `weights.files.tf1`, a graph
in `porting.graph`, which also runs it in NumPy; `porting.find` looks for blocks; `porting.network` turns a whole graph
into steps, and `porting.write` these into source.
"""

try:
    from attn_core.porting.find.found import Findings, FoundBlock
    from attn_core.porting.find_blocks import find_blocks
    from attn_core.porting.graph.graph import Graph, Ref, read_graph
    from attn_core.porting.graph.ops.evaluate import evaluate
    from attn_core.weights.files.tf1.checkpoint import Checkpoint, read_checkpoint
    from attn_core.weights.files.tf1.errors import CheckpointError, UnknownOpError
    from attn_core.weights.files.tf1.locate import Location, locate
except ModuleNotFoundError as error:
    if error.name is None or error.name.startswith("attn_core"):
        raise
    raise ImportError(f"attn_core.tf1 needs {error.name}: pip install 'attn-blocks[tf1]'") from error

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "Findings",
    "FoundBlock",
    "Graph",
    "Location",
    "Ref",
    "UnknownOpError",
    "evaluate",
    "find_blocks",
    "locate",
    "read_checkpoint",
    "read_graph",
]
