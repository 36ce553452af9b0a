"""Screens: each composes panes and hands them the View; none holds state of its own beyond its layout."""
