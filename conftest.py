"""The options of our own tests: pytest looks for them here before it knows where the tests are."""

pytest_plugins = ["settings", "one_block", "tiers", "durations", "groups"]  # the first before any framework is imported
