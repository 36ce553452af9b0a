"""Where the README's figures come from; run one with `python -m benchmarks.NAME` in the repository's root."""
