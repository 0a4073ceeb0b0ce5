"""Vision attention layers for PyTorch, with mathematics that every framework shares (`attn_core`)."""

from typing import TYPE_CHECKING

from attn_core.deferred import handed_on
from attn_torch import fast as _fast  # noqa: F401 (layers take what it registers)
from attn_torch.binding import bind as bind
from attn_torch.binding import load as load
from attn_torch.binding import weights as weights
from attn_torch.blocks import *
from attn_torch.creating import create as create
from attn_torch.inserting.insert import insert as insert
from attn_torch.inserting.insert import new_parameters as new_parameters
from attn_torch.inserting.insert import old_parameters as old_parameters
from attn_torch.inserting.insert import remove as remove
from attn_torch.inserting.insert import without as without
from attn_torch.inserting.pretrained import load_pretrained as load_pretrained
from attn_torch.inserting.replace import replace as replace
from attn_torch.layer import Generic as Generic
from attn_torch.layer import Layer as Layer
from attn_torch.models import *
from attn_torch.recording import record_gates as record_gates
from attn_torch.synchronising import synchronized as synchronized

if not TYPE_CHECKING:  # checkers read the lines above
    __all__ = [*handed_on(__name__)]
