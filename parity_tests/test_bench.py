"""How `attn bench` counts and what it asks. Times themselves are never asserted."""

from __future__ import annotations

from itertools import pairwise

import pytest

import attn_core as core
from attn_core.parity.bench import asked, contest, proof, running
from attn_core.parity.bench.asked import BOTH, FORWARD, LARGE, SMALL, Peer
from attn_core.parity.bench.contest import COMPILED, COPY, EAGER, OURS, Entrant
from attn_core.spec import SpecError

# ---- counting --------------------------------------------------------------------------------------------------------


def scripted(name: str, times: list[float], way: str = EAGER, seen: list[str] | None = None) -> Entrant:
    """Return a layer whose measurements are known: three to find out how often to call it, then one a round."""
    numbers = iter([1.0] * 3 + times)

    def seconds(calls: int) -> float:
        if seen is not None:
            seen.append(name)
        return next(numbers)

    return Entrant(name, way, seconds)


def test_ratios_are_those_of_each_round():
    """In the third round everything was ten times as slow: the ratio does not see it, the times do."""
    ours, theirs, copy = [2.0, 4.0, 20.0, 3.0], [4.0, 4.0, 40.0, 4.0], [1.0, 1.0, 10.0, 1.0]
    entrants = [scripted(OURS, ours), scripted("theirs", theirs), scripted(COPY, copy)]
    times = contest.measured(entrants, 4)
    assert times == [ours, theirs, copy]
    timed, (ratio,) = contest.compared(entrants, times)
    assert (ratio.name, ratio.ours, ratio.way) == ("theirs", EAGER, EAGER)
    assert ratio.ratio == contest.spread([0.5, 1.0, 0.5, 0.75])
    assert ratio.ratio.median == 0.625
    assert [each.seconds.median for each in timed] == [3.5, 4.0, 1.0]
    assert [each.copies.median for each in timed] == [2.5, 4.0, 1.0]


def test_a_spread_is_a_median_between_quartiles():
    assert contest.spread([1, 2, 3, 4, 5, 6, 7]) == contest.Spread(4, 2, 6)
    assert contest.spread([5.0] * 4) == contest.Spread(5, 5, 5)


def test_everyone_is_first_in_turn():
    seen: list[str] = []
    names = ["a", "b", COPY]
    contest.measured([scripted(name, [1.0] * 6, seen=seen) for name in names], 6)
    rounds = [seen[9:][i : i + 3] for i in range(0, 18, 3)]
    assert all(sorted(each) == sorted(names) for each in rounds)
    assert {each[0] for each in rounds} == set(names)
    after = {(first, second) for each in rounds for first, second in pairwise(each)}
    assert len(after) == 6  # nobody always follows the same


def test_compiled_and_eager_are_compared_with_each_other():
    entrants = [scripted(name, [1.0] * 4, way) for way in (EAGER, COMPILED) for name in (OURS, "b")]
    entrants.append(scripted(COPY, [1.0] * 4))
    _, ratios = contest.compared(entrants, contest.measured(entrants, 4))
    assert [(each.ours, each.way) for each in ratios] == [(a, b) for a in (EAGER, COMPILED) for b in (EAGER, COMPILED)]


def test_short_runs_are_called_often():
    """A measurement takes a hundredth of a second at least; a short run is called 1000 times at most."""
    asked_for: list[int] = []

    def seconds(calls: int) -> float:
        asked_for.append(calls)
        return 1e-6 if len(asked_for) <= 3 else 1e-3

    contest.measured([Entrant("a", EAGER, seconds)], 1)
    assert asked_for == [3, 3, 3, contest.MOST_CALLS]


# ---- asking ----------------------------------------------------------------------------------------------------------


def test_peers():
    text = "plain, timm,my.layers:MySE({channels}, (3, 5)),my.layers:Other,timm"
    expected = [Peer("plain"), Peer("timm"), Peer("my.layers:MySE", "{channels}, (3, 5)")]
    assert asked.peers(text) == [*expected, Peer("my.layers:Other", "{channels}")]
    assert expected[2].given(64) == "64, (3, 5)"


@pytest.mark.parametrize("text", ["tim", "os.path", "my.layers:MySE(64"])
def test_no_peer(text: str):
    with pytest.raises(SpecError, match="is no peer"):
        asked.peers(text)


def test_images_of_a_block():
    """Channels and rank follow from the image, unless the block says its own."""
    found = asked.trials(["CBAM(norm=True)", "SE(48)"], [], ["float32"], backward=True)
    assert [trial.shapes for trial in found[::2]] == [(LARGE,), (SMALL,), ((8, 48, 56, 56),), ((8, 48, 14, 14),)]
    assert found[0].block == core.CBAM(256, norm=True)
    assert [trial.way for trial in found[:2]] == [FORWARD, BOTH]
    (line,) = asked.trials(["cbam"], [(2, 16, 9)], ["float64"], backward=False)
    assert line.block == core.CBAM(16, rank=1)


@pytest.mark.parametrize("name", sorted(core.blocks.BLOCKS))
def test_every_block_can_be_asked_for(name: str):
    """On images as its example has them."""
    shape = asked.configured(name, LARGE).example()[0]
    (trial,) = asked.trials([name], [(2, *shape[1:])], ["float32"], backward=False)
    assert len(trial.shapes) == len(trial.block.inputs)
    assert {sizes[0] for sizes in trial.shapes} == {2}


def test_one_sample_is_enough_to_check():
    assert proof.smaller(((8, 256, 56, 56),), 2**18) == ((1, 256, 32, 32),)
    assert proof.smaller(((8, 64, 7, 5), (8, 16, 7, 5)), 2**18) == ((1, 64, 7, 5), (1, 16, 7, 5))


def test_ways():
    class Both:
        ways = (EAGER, COMPILED)

    class Only:
        ways = (EAGER,)

    assert running.ways_of(Both(), "torch", compiled=False) == (EAGER,)
    assert running.ways_of(Both(), "torch", compiled=True) == (EAGER, COMPILED)
    with pytest.raises(ValueError, match="keras-torch compiles nothing: leave out --compile"):
        running.ways_of(Only(), "keras-torch", compiled=True)
