"""Benches: what the project promises about speed and results, measured on the machine at hand.

Every module named ``bench_*`` has one function ``bench(quick: bool) -> Iterable[Figure]``; putting
a file here is all it takes to add one. ``python -m benchmarks`` runs them all.
"""
