"""Many boxes on one air, in simulated time: the real exchange and frames, without a thread."""
