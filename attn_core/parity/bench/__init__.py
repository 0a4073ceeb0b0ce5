"""What layers cost: ours beside other people's and beside a copy of the image, in every framework (`attn bench`)."""
