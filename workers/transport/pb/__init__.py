"""Generated from proto/hilserl/v1 by `make stubs`; do not edit."""
