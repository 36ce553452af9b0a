"""What every worker process stands on: shared memory, pacing, its mailbox and its harness."""
