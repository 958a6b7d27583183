"""What run-all is made of. Python's standard library only."""
