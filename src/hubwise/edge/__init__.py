"""Adapters: what speaks with chargers, and a simulated world."""
