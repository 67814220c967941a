"""The rules by which instructions are made, written for one Example and to be read; tests compare production with them.

Nothing outside `tests/` imports these modules.
"""
