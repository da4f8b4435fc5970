"""Evaluation: numbers, figures and the report."""
