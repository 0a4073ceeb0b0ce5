"""The options of our own tests: pytest looks for them here before it knows where the tests are."""

pytest_plugins = ["one_block"]
