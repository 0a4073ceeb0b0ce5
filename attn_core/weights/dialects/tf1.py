"""TensorFlow 1 functions whose layers TensorFlow names: the TensorFlow article's `se_block`, and its usual variants.

`attn_core.tf1` finds these blocks in checkpoints and graphs; here they are in arrays by name.
"""

from __future__ import annotations

from attn_core.weights.dialects.kobiso import CBAM_LAYERS
from attn_core.weights.dialects.layout import slim_point, tf_dense, tf_point
from attn_core.weights.dialects.shared import RELU_SIGMOID, cbam, squeeze_excitation

NUMBERED = "'net/#6/' is the prefix of the block of its layers {0}_6 and {0}_7"

DIALECTS = (
    squeeze_excitation(
        "tf1.se_block",
        tf_dense("dense"),
        tf_dense("dense_1"),
        options=RELU_SIGMOID,
        definition="the TensorFlow article, se_block: tf.layers.dense twice, with TensorFlow's automatic names",
        differs=f"Kernels are (inputs, outputs). Biases are there or not, as sizes tell; {NUMBERED.format('dense')}.",
        proven=("tf1/se_block", "tf1/se_block_scoped_stack", "tf1/res_block2_net", "tf1_blocks/bias_free"),
        boundary="/",
        scoped=False,
        numbered="dense",
    ),
    squeeze_excitation(
        "tf1.se_block_conv2d",
        tf_point("conv2d"),
        tf_point("conv2d_1"),
        options=RELU_SIGMOID,
        definition="the usual variant with tf.layers.conv2d of one pixel and automatic names; no one source",
        differs=f"Kernels are (1, 1, inputs, outputs). Biases are there or not; {NUMBERED.format('conv2d')}.",
        proven=("tf1_blocks/one_by_one",),
        boundary="/",
        scoped=False,
        numbered="conv2d",
    ),
    squeeze_excitation(
        "tf1.se_block_slim",
        slim_point("Conv"),
        slim_point("Conv_1"),
        options=RELU_SIGMOID,
        definition="the usual variant with slim.conv2d of one pixel and automatic names; no one source",
        differs=f"Arrays are called weights (1, 1, inputs, outputs) and biases; {NUMBERED.format('Conv')}.",
        proven=("tf1_blocks/one_by_one",),
        boundary="/",
        scoped=False,
        numbered="Conv",
    ),
    cbam(
        "tf1.cbam_block",
        CBAM_LAYERS,
        bias=False,
        definition="the usual variant of kobiso's cbam_block with use_bias=False everywhere; no one source",
        differs="No biases, planes (mean, maximum), no batch normalisation; kernels are in TensorFlow's layouts.",
        boundary="/",
        scoped=False,
    ),
)
