"""What Beam remembers is what it would find out anew."""

import apache_beam as beam
from apache_beam.coders import StrUtf8Coder
from apache_beam.options.pipeline_options import DebugOptions, DirectOptions, PipelineOptions, StandardOptions
from apache_beam.transforms import userstate

from pipelines.engine import beam_memory  # noqa: F401

SEEN = userstate.BagStateSpec("seen", StrUtf8Coder())
STATE = beam.DoFn.StateParam(SEEN)


class WithState(beam.DoFn):
    def process(self, element, seen=STATE):
        yield element


class WithoutState(beam.DoFn):
    def process(self, element):
        yield element


def test_states_belong_to_the_class():
    for _ in range(2):
        assert userstate.get_dofn_specs(WithState()) == ({SEEN}, set())
        assert userstate.get_dofn_specs(WithoutState()) == (set(), set())


def test_a_method_of_one_instance_belongs_to_it_alone():
    borrower = WithoutState()
    borrower.process = WithState().process
    assert userstate.get_dofn_specs(borrower) == ({SEEN}, set())
    assert userstate.get_dofn_specs(WithoutState()) == (set(), set())


def test_views_share_the_values_of_their_options_and_no_others():
    flags = ["--direct_num_workers=2", "--experiment=one"]
    first, second = PipelineOptions(flags), PipelineOptions(flags)
    assert first.view_as(DirectOptions).direct_num_workers == 2
    first.view_as(DirectOptions).direct_num_workers = 3
    first.view_as(DebugOptions).add_experiment("two")
    assert first.view_as(StandardOptions).view_as(DirectOptions).direct_num_workers == 3
    assert first.view_as(DebugOptions).experiments == ["one", "two"]
    assert second.view_as(DirectOptions).direct_num_workers == 2
    assert second.view_as(DebugOptions).experiments == ["one"]
    assert PipelineOptions([]).view_as(DirectOptions).direct_num_workers == 1


def test_values_that_are_given_in_code_replace_flags():
    options = PipelineOptions(["--direct_num_workers=2"], direct_num_workers=5)
    assert options.view_as(DirectOptions).direct_num_workers == 5
