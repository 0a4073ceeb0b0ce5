"""The function that normalises by the channels nearby, which neither Keras nor JAX has."""

LOCAL_RESPONSE_NORM = '''def local_response_norm(x, radius, bias, alpha, beta):
    """Divide by a power of the squares of the channels nearby."""
    squares = {arrays}.pad(x**2, ((0, 0), (0, 0), (0, 0), (radius, radius)))
    near = sum(squares[..., k : k + x.shape[-1]] for k in range(2 * radius + 1))
    return x / (bias + alpha * near) ** beta


'''
