"""Who runs a block's `forward`: NumPy in float64, shapes, costs, formulas, samples of rounding, and traces of these."""
