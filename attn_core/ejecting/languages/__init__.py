"""How each framework writes a class: its layers, their fresh weights, its functions, a whole file."""
