"""Sweeps: many trials that search for the best settings, by Optuna; killed, they go on where they were.

`request` is what a command line asks for, `settings` the Hydra group, `dimensions` and `spaces` what is searched,
`checking` whether it can be, `objectives` what is made small, `studies` Optuna's store, `engine` one start of a sweep
and `trial` one of its trials.
"""
