"""xmu-xiaoma666's External-Attention-pytorch: its CBAM is another block."""

from __future__ import annotations

from attn_core.weights.dialects.bangguwu import UNTOLD, efficient_channel_attention
from attn_core.weights.dialects.landskape import triplet_attention
from attn_core.weights.dialects.refused import Refused

DIALECTS = (
    efficient_channel_attention(
        "xmu.ECAAttention",
        bias=True,
        definition="xmu-xiaoma666/External-Attention-pytorch d75848e, model/attention/ECAAttention.py",
        differs=f"The convolution has a bias, and the kernel 3 unless told otherwise. {UNTOLD}.",
        proven=("official/xmu_eca",),
    ),
    triplet_attention(
        "xmu.TripletAttention",
        definition="xmu-xiaoma666/External-Attention-pytorch d75848e, model/attention/TripletAttention.py",
        proven=("official/xmu_triplet",),
    ),
)

REFUSED = (
    Refused(
        "xmu.CBAMBlock",
        "CBAM",
        "xmu-xiaoma666/External-Attention-pytorch 8f69516, model/attention/CBAM.py",
        "xmu's CBAMBlock adds its input to the scaled image; CBAM here returns the scaled image.",
        ("ca.se.0.weight", "ca.se.2.weight", "sa.conv.weight"),
    ),
)
