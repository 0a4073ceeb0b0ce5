"""The recorder of `golden/record.py`: somebody's PyTorch module on the recipe's weights, as a case folder."""
