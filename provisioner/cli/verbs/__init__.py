"""The verbs, one file a group. Each function's docstring is its ``--help``; what it returns is the exit code."""
