"""How blocks find their native classes, checked in a process of its own: `python native_table.py attn_torch`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module, reload

from surface import COMMON, EXTRA

import attn_core as core
from attn_core.models.registry import KNOWN, NAMED, example
from attn_core.spec import Block

NAME = sys.argv[1]
binding = import_module(f"{NAME}.binding")  # alone, by its full path
layer = import_module(f"{NAME}.layer")
package = import_module(NAME)
SMALL = core.CBAM(8, 2, 3)


@dataclass(frozen=True, repr=False)
class CBAM(Block):
    """A block of a user that is called as one of ours."""

    channels: int = 8


@dataclass(frozen=True, repr=False)
class Narrow(core.CBAM):
    """A block of a user that is a kind of one of ours."""


def the_package_offers_every_name() -> None:
    assert {*package.__all__} == COMMON | EXTRA[NAME] | {*NAMED}
    assert all(hasattr(package, name) for name in package.__all__)


def every_block_has_its_class() -> None:
    assert {name: layer.NATIVE[block] for name, block in KNOWN.items()} == {n: getattr(package, n) for n in KNOWN}
    assert type(binding.bind(SMALL)) is package.CBAM


def a_part_that_is_a_block_has_its_class() -> None:
    network = binding.bind(core.ResidualBlock(8, 8, attention="CBAM(reduction=2)"))
    if NAME != "attn_jax.linen":  # where parts exist within a call only
        assert type(network.attention) is package.CBAM


def a_subclass_leaves_the_place_to_its_base() -> None:
    type("MyCBAM", (package.CBAM,), {})
    assert type(binding.bind(SMALL)) is package.CBAM


def blocks_of_users_are_generic() -> None:
    assert type(binding.bind(CBAM())) is package.Generic
    assert type(binding.bind(Narrow(8, 2, 3))) is package.Generic


def a_user_gives_a_block_a_class() -> None:
    own = type("Mine", (package.Generic,), {}, of=CBAM)
    assert layer.NATIVE[CBAM] is own
    del layer.NATIVE[CBAM]


def modules_are_imported_again() -> None:
    again = reload(import_module(f"{NAME}.blocks.cbam"))
    assert type(binding.bind(SMALL)) is again.CBAM
    for module in (layer, binding):
        reload(module)
        assert type(binding.bind(SMALL)) is again.CBAM
        assert type(binding.bind(example("NonLocal"))) is package.NonLocal


the_package_offers_every_name()
every_block_has_its_class()
a_part_that_is_a_block_has_its_class()
a_subclass_leaves_the_place_to_its_base()
blocks_of_users_are_generic()
a_user_gives_a_block_a_class()
modules_are_imported_again()
