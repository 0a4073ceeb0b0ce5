"""The options of functions that return a network, as a type: checkers so find one that is misspelt."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from string import Template

from scaffold.described import Described, Field

TEXT = Template('''\
class ${name}Options(TypedDict, total=False):
    """What `$name` takes beside $given, for type checkers."""

$fields
''')
TYPING = "from typing import TypedDict, Unpack"


def typed(block: Described, fields: Iterable[Field], more: Iterable[str]) -> list[str]:
    """Return the class, if there is such a function; `more` are options of the framework, with or without defaults."""
    if not block.constructors:
        return []
    given = _given(block)
    lines = [f"{field.name}: {field.type}" for field in fields if field.name not in given]
    lines += [option.partition(" = ")[0] for option in more]
    names = " and ".join(filter(None, [", ".join(given[:-1]), given[-1]]))
    return [TEXT.substitute(name=block.name, given=names, fields="\n".join(f"    {line}" for line in lines))]


def _given(block: Described) -> list[str]:
    """Return the arguments that these functions name themselves."""
    function = ast.parse(block.constructors[0]).body[0]
    assert isinstance(function, ast.FunctionDef)
    return [argument.arg for argument in function.args.args]
