"""An SO arm that is not there: six Feetech STS3215 servos on a pseudo-terminal, with their faults by script."""
