"""Where pictures come from: a simulator or a real device."""
