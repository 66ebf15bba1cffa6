"""Random input for whatever reads what others wrote: ``make fuzz``. Finds are kept in tests/test_fuzz.py."""
