"""`python -m pipelines` lists the commands, as `ieforge` does, and runs the one that it is given."""

import runpy

runpy.run_module("ieforge", run_name="__main__")
