"""The rules of instructions in readable form, for one Example at a time. Tests compare the production code with them.

Nothing outside `tests/` imports these modules.
"""
