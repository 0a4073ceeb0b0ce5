"""From steps to statements: what gets a variable of its own, and what stands inside another expression."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from attn_core.ejecting.tracing.symbols import Step, Symbol, symbols_in
from attn_core.ejecting.words.code import Code, Operand
from attn_core.ejecting.writing.variables import Variables, called

MOST_STEPS = 3  # inside one another in a line: an activation of a norm of a convolution
WIDTH = 84  # of a line, from its indent on

# These only move numbers, or are no more than a sign: they do not make a line longer to understand.
LIGHT = frozenset((
    "to_tokens", "to_image", "matrices", "flatten", "stop_gradient", "exchange", "depth_to_channels",
    "channels_to_depth", "linear", "over_positions", "group", "ungroup", "Running",
))  # fmt: skip
# Where a line that is too long is cut: after the first of these rather than after the others.
GOOD_ENDS = ("relu", "silu", "gelu", "hard_swish", "concat", "add", "softmax", "method", "Block", "attend", "multiply")
BAD_ENDS = ("Conv", "Dense", "BatchNorm", *LIGHT)

Write = Callable[[Step, list[Any]], Code]


@dataclass
class Body:
    """Writes the lines of one function.

    `write` returns the expression of a step from those of what it is given. `by_name` are the kinds of steps whose
    inputs must be variables.
    """

    write: Write
    by_name: frozenset[str]
    reserved: frozenset[str] = frozenset()  # names that no variable can have
    lines: list[str] = field(default_factory=list)
    waiting: dict[Symbol, Step] = field(default_factory=dict)  # what is no variable, and not yet written
    variables: Variables = field(default_factory=Variables)
    kept: set[Symbol] = field(default_factory=set)  # what must be a variable

    def run(self, inputs: Mapping[str, Symbol], steps: Sequence[Step], output: Symbol) -> list[str]:
        """Return the lines of a function of these inputs that returns the output."""
        uses = Counter(symbol for step in steps for symbol in step.inputs) + Counter([output])
        self.variables.left = uses
        self.kept = {symbol for symbol, count in uses.items() if count > 1}
        self.kept |= {symbol for step in steps if step.kind in self.by_name for symbol in step.inputs}
        for name, symbol in inputs.items():
            self.variables.hold(name, [symbol])
        for step in steps:
            self._step(step, output)
        self._shorten(output)
        return [*self.lines, f"return {self._written(output).text}"]

    def _step(self, step: Step, output: Symbol) -> None:
        for symbol in step.inputs:
            self.variables.left[symbol] -= 1
        if not step.outputs:
            self._before_moving()
            self._shorten(*step.inputs)
            text = self._expression(step).text
            self.lines += [text] if text else []  # where nothing is trained, nothing moves
            self._wrote(*step.inputs)
        elif len(step.outputs) > 1:
            self._unpack(step)
        else:
            (symbol,) = step.outputs
            self.waiting[symbol] = step
            if symbol in self.kept or (len(symbol.name) > 1 and symbol is not output):
                self._assign(symbol)

    def _before_moving(self) -> None:
        """Write what reads a running array before that moves."""
        for symbol in list(self.waiting):
            if symbol in self.waiting and any(self._step_of(each).kind == "Running" for each in self._inside(symbol)):
                self._assign(symbol)

    # ---- expressions -------------------------------------------------------------------------------------------------

    def _written(self, symbol: Symbol) -> Operand:
        """Return the expression of a symbol."""
        code = self._expression(self.waiting[symbol]) if symbol in self.waiting else self.variables.text(symbol)
        return Operand(code.text, code.level, symbol)

    def _expression(self, step: Step) -> Code:
        return self.write(step, [self._given(each) for each in step.given])

    def _given(self, given: Any) -> Any:
        if isinstance(given, Symbol):
            return self._written(given)
        if isinstance(given, list | tuple) and symbols_in(given):
            return [self._given(each) for each in given]
        return given

    def _step_of(self, symbol: Symbol) -> Step:
        return self.waiting[symbol]

    def _inside(self, symbol: Symbol) -> Iterator[Symbol]:
        """Yield a symbol that waits, and those that wait inside its expression."""
        if symbol in self.waiting:
            yield symbol
            for each in self.waiting[symbol].inputs:
                yield from self._inside(each)

    def _depth(self, symbol: Symbol) -> int:
        """Count the steps inside one another in a symbol's expression."""
        if symbol not in self.waiting:
            return 0
        step = self.waiting[symbol]
        return (step.kind not in LIGHT) + max(map(self._depth, step.inputs), default=0)

    # ---- lines -------------------------------------------------------------------------------------------------------

    def _shorten(self, *symbols: Symbol) -> None:
        """Give variables to what is inside these expressions until each fits a line."""
        for symbol in symbols:
            while self._depth(symbol) > MOST_STEPS or len(self._written(symbol).text) > WIDTH:
                inner = [each for each in self._inside(symbol) if each is not symbol]
                whole = self._depth(symbol)
                best = [each for each in inner if whole - self._depth(each) <= MOST_STEPS] or inner
                if not best:
                    break
                self._assign(min(best, key=self._cost))

    def _cost(self, symbol: Symbol) -> tuple[int, int]:
        """Return how bad it is to end a line with this."""
        kind = self.waiting[symbol].kind
        return (-1 if kind in GOOD_ENDS else 1 if kind in BAD_ENDS else 0), -self._depth(symbol)

    def _assign(self, symbol: Symbol) -> None:
        self._shorten(symbol)
        text = self._written(symbol).text
        kind = self.waiting[symbol].kind
        self._wrote(symbol)
        name = self._free(called(symbol, kind))
        self.lines.append(f"{name} = {text}")
        self.variables.hold(name, [symbol])

    def _unpack(self, step: Step) -> None:
        """Write the results of a step that has several as variables."""
        self._shorten(*step.inputs)
        text = self._expression(step).text
        self._wrote(*step.inputs)
        names = []
        own = {symbol.name for symbol in step.outputs if symbol.name}
        for i, symbol in enumerate(step.outputs, 1):
            if len(own) < len(step.outputs):  # they share a name, or have none
                symbol.name = f"{(symbol.name if len(own) == 1 else '') or 'piece'}{i}"
            is_read = self.variables.left[symbol] > 0
            names.append(self._free(symbol.name) if is_read else "_")
            if is_read:
                self.variables.hold(names[-1], [symbol])
        self.lines.append(f"{', '.join(names)} = {text}")

    def _free(self, wanted: str) -> str:
        """Return a name for a variable: one that no expression that still waits will read."""
        read = {name for symbol in self.waiting for name in self._reads(symbol)}
        return self.variables.free(wanted, read | self.reserved)

    def _reads(self, symbol: Symbol) -> Iterable[str]:
        return self.variables.read_by(each for each in self.waiting[symbol].inputs if each not in self.waiting)

    def _wrote(self, *symbols: Symbol) -> None:
        """Forget what waits inside these, for it is written."""
        for symbol in symbols:
            for each in list(self._inside(symbol)):
                self.waiting.pop(each, None)
