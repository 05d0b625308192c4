"""Why frames were left out, in words."""

from segwatch.jobs.skipped import MOST_REASONS, skipped_words


def test_a_few_reasons_are_all_named_the_commonest_first() -> None:
    assert skipped_words({"ARP": 2, "UDP": 1_200}) == "UDP 1,200, ARP 2"


def test_many_reasons_are_summed_up() -> None:
    skipped = {f"ethertype {number:#06x}": 100 - number for number in range(MOST_REASONS + 1)}
    assert skipped_words(skipped).endswith(", 92 more for 1 other reason")
    skipped["ARP"] = 1
    assert skipped_words(skipped).endswith(", 93 more for 2 other reasons")
    assert skipped_words(skipped).count(",") == MOST_REASONS
