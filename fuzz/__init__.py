"""Random input for code that reads remote data: ``make fuzz``. Findings are kept in tests/test_fuzz.py."""
