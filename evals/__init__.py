"""Proof of the interviewer: simulated respondents, figures and gates. `python -m evals` runs all of it."""
