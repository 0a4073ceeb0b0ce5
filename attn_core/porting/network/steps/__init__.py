"""A network as steps: what they are (`steps`), and how nodes become them (`lift`).

`axes` says what the axes of the graph's arrays are, `observed` what was seen of them when the graph ran.
"""
