"""TensorFlow 1 files, read without TensorFlow: ``pip install 'attn-blocks[tf1]'``.

Where to start reading: a checkpoint is opened in `checkpoint` (V2: `bundle`, V1: `slices`, both on `table`), a graph in
`graph`. `find` looks for blocks by structure (`patterns`, on `layers`, `pooling`, `kernels`, `reads`) or by names
(`names`), chooses among variables (`variables`) and puts the blocks together (`assemble`, `naming`). `evaluate` runs a
graph in NumPy (`ops`). `network` turns a whole graph into steps, `write` these into source.
"""

try:
    from attn_core.tf1.find import find_blocks
    from attn_core.tf1.found import Findings, FoundBlock
    from attn_core.tf1.graph import Graph, read_graph
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
    "UnknownOpError",
    "find_blocks",
    "locate",
    "read_checkpoint",
    "read_graph",
]
