"""Evaluation: which policies are tried in which order, and what is kept of every trial."""
