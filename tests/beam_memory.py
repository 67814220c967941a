"""Makes Apache Beam remember what it finds out about classes of DoFns and about flags.

For every transform, Beam inspects all methods of its DoFn eight times, looks for its states and timers eight times,
and parses the flags again for each group of options. That takes a fourth of the time of a build of a few rows, and the
tests run hundreds of them.
"""

import sys
from copy import copy
from types import MethodType

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms import core, userstate


def remember_arguments() -> None:
    inspect = core.get_function_args_defaults
    arguments: dict[object, tuple[list, list]] = {}

    def inspect_once(function):
        method = getattr(function, "__func__", None)
        if method is None:  # a function, often a lambda that lives as long as its pipeline
            return inspect(function)
        if method not in arguments:
            arguments[method] = inspect(function)
        names, defaults = arguments[method]
        return list(names), list(defaults)

    core.get_function_args_defaults = inspect_once


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
    parsed: dict[tuple, object] = {}

    def view_as(options, group):
        flags = sys.argv[1:] if options._flags is None else options._flags
        key = (group, *flags)
        if key not in parsed:
            parsed[key] = group(options._flags)._visible_options
        view = object.__new__(group)
        view._flags, view._visible_options = options._flags, parsed[key]
        view._all_options = options._all_options  # all views of the options share their values
        for name in view._visible_option_list():
            if name not in view._all_options:
                view._all_options[name] = copy(getattr(parsed[key], name))
        return view

    PipelineOptions.view_as = view_as
