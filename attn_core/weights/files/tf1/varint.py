"""Variable-length integers: seven bits a byte, the lowest first, the top bit says that more follow."""

from attn_core.weights.files.tf1.errors import CheckpointError


def varint(data: bytes | memoryview, position: int, where: str) -> tuple[int, int]:
    """Return the number at ``position`` (below 2**64) and the position after it.

    **Raises** `CheckpointError`: the data ends inside the number, or the number is too long, ``where`` opens the
    message.
    """
    number = 0
    for shift, byte in zip(range(0, 70, 7), data[position : position + 10], strict=False):
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            if number >> 64:
                break
            return number, position + shift // 7 + 1
    raise CheckpointError(f"{where} is damaged: there is no valid number at byte {position}.")
