"""A block as source of one framework alone: traced on symbols, then written as somebody would have written it."""
