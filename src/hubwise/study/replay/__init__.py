"""Days replayed slot by slot by the controller of a running hub, on a simulated clock."""
