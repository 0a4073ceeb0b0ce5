"""The functions of the TensorFlow article, with their own signatures, for TensorFlow 1 code that lives on.

In a graph of `tf.compat.v1` they make the variables and operations that TensorFlow 1.15 made; everywhere else they are
layers of Keras 3.
"""

from attn_tf.tf1.functions import conv_layer as conv_layer
from attn_tf.tf1.functions import norm_layer as norm_layer
from attn_tf.tf1.functions import relu as relu
from attn_tf.tf1.functions import res_block2 as res_block2
from attn_tf.tf1.functions import se_block as se_block
