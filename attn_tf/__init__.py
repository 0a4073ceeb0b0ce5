"""Vision attention layers for Keras 3, with mathematics that every framework shares (`attn_core`).

They run on every Keras backend. `se_block` and `res_block2` are the TensorFlow 1 functions of these names.
"""

from typing import TYPE_CHECKING

from attn_core.deferred import handed_on
from attn_tf.binding import bind as bind
from attn_tf.binding import load as load
from attn_tf.binding import weights as weights
from attn_tf.blocks import *
from attn_tf.creating import create as create
from attn_tf.inserting.insert import insert as insert
from attn_tf.inserting.insert import new_parameters as new_parameters
from attn_tf.inserting.insert import remove as remove
from attn_tf.inserting.insert import without as without
from attn_tf.layer import Generic as Generic
from attn_tf.layer import Layer as Layer
from attn_tf.models import *
from attn_tf.recording import record_gates as record_gates
from attn_tf.tf1 import res_block2 as res_block2
from attn_tf.tf1 import se_block as se_block

if not TYPE_CHECKING:  # checkers read the lines above
    __all__ = [*handed_on(__name__)]
