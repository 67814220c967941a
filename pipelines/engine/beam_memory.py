"""Makes Apache Beam remember what it finds out about classes of DoFns and about flags. Importing this module does it.

For every transform of a graph, Beam looks eight times at all methods of its DoFn for states and timers, and parses the
flags anew for each group of options. That is half of the time that a pipeline takes besides its work.
"""

import sys
from argparse import Namespace
from copy import copy
from types import MethodType

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms import userstate


def remember_states() -> None:
    search = userstate.get_dofn_specs
    known: dict[type, tuple[set, set]] = {}

    def search_once(function):
        if any(isinstance(value, MethodType) for value in vars(function).values()):  # not of its class
            return search(function)
        kind = type(function)
        if kind not in known:
            known[kind] = search(function)
        states, timers = known[kind]
        return set(states), set(timers)

    userstate.get_dofn_specs = search_once


def remember_options() -> None:
    parsed: dict[tuple, Namespace] = {}

    def view_as(options, group):
        key = (group, *(sys.argv[1:] if options._flags is None else options._flags))
        if key not in parsed:
            parsed[key] = group(options._flags)._visible_options
        view = object.__new__(group)  # __init__ would parse the flags
        view._flags, view._visible_options = options._flags, parsed[key]
        view._all_options = options._all_options  # all views of the options share their values
        for name, value in vars(parsed[key]).items():
            if name not in view._all_options:
                view._all_options[name] = copy(value)
        return view

    PipelineOptions.view_as = view_as


remember_states()
remember_options()
