"""Benchmarks for asv: how long fits and explanations take, and how that grows with the table."""
