"""Panes: one widget per file. Each draws a slice of the View as rows of styled text and sends nothing."""
