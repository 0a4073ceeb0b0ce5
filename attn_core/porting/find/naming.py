"""What blocks are called, and which of them share variables."""

from collections.abc import Collection, Iterable

from attn_core.porting.find.kernels import DensePair


def names(pairs: Iterable[DensePair], others: Collection[str]) -> list[str]:
    """Name each block by the scope that it has for itself among all variables, or else by its first layer."""
    given: dict[str, None] = {}
    for pair in pairs:
        own = {role: each.name for role, each in pair.stored.items()}
        first = {name for role, name in own.items() if role.startswith("reduce")}
        name = _scope(set(own.values()), others) or _scope(first, others) or own["reduce.weight"]
        number = next(n for n in range(1, len(given) + 2) if (f"{name}#{n}" if n > 1 else name) not in given)
        given[f"{name}#{number}" if number > 1 else name] = None
    return list(given)


def _scope(own: Collection[str], others: Collection[str]) -> str:
    """Return the narrowest scope around some variables if it holds no other variable."""
    paths = [name.split("/")[:-1] for name in own]
    common: list[str] = []
    for scopes in zip(*paths, strict=False):
        if len(set(scopes)) > 1:
            break
        common.append(scopes[0])
    scope = "/".join(common)
    return scope if all(name in own for name in others if name.startswith(f"{scope}/")) else ""


def own_scope(own: Collection[str], others: Collection[str]) -> str:
    """Return the widest scope around some variables that holds no other variable; empty if there is none."""
    scope = _scope(own, others)
    while (wider := scope.rpartition("/")[0]) and all(n in own for n in others if n.startswith(f"{wider}/")):
        scope = wider
    return scope


def shared(pairs: list[DensePair], called: list[str]) -> list[tuple[str, ...]]:
    """Return for each block a note on every other block that has variables of it."""
    owners: dict[str, list[int]] = {}
    for number, pair in enumerate(pairs):
        for name in _names(pair):
            owners.setdefault(name, []).append(number)
    return [_sharing(number, pair, owners, called) for number, pair in enumerate(pairs)]


def _sharing(number: int, pair: DensePair, owners: dict[str, list[int]], called: list[str]) -> tuple[str, ...]:
    common: dict[int, list[str]] = {}
    for name in _names(pair):
        for owner in owners[name]:
            common.setdefault(owner, []).append(name)
    everything = common.pop(number)
    return tuple(
        f"shares {'all its variables' if held == everything else ', '.join(held)} with {called[other]!r}"
        for other, held in sorted(common.items())
    )


def _names(pair: DensePair) -> list[str]:
    return [each.name for each in pair.stored.values()]
