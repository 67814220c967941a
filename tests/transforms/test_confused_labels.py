"""Which labels of gold and given items are confused."""

from transforms.confused_labels import confusions


def test_a_wrong_label_is_confused_with_every_gold_label_of_its_mention():
    gold = [("place", "Coal Quay"), ("harbour", "Coal Quay"), ("person", "Ada")]
    given = [("ship", "Coal Quay"), ("person", "Ada"), ("ship", "Coal Quay"), ("ship", "Zork")]
    assert list(confusions(gold, given)) == [("place", "ship"), ("harbour", "ship")]


def test_a_wrong_label_beside_the_right_one_is_a_confusion():
    assert list(confusions([("place", "Lima")], [("place", "Lima"), ("person", "Lima")])) == [("place", "person")]


def test_mentions_must_be_equal_and_in_the_same_order():
    gold = [("owner", "Ada", "Marigold")]
    assert list(confusions(gold, [("captain", "Ada", "Marigold")])) == [("owner", "captain")]
    assert not list(confusions(gold, [("captain", "Marigold", "Ada"), ("captain", "Ada", "Mari")]))


def test_an_event_without_a_trigger_is_not_confused():
    assert not list(confusions([("sale", "")], [("theft", "")]))
