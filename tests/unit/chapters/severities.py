"""The severities that each code is made with, read from the program's text: every branch counts, whether a test comes there or not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SEVERITIES = {"blocks", "warns", "tells"}
LOOKED_UP = ("IOMMU-NO-", ("IOMMU-NO-DMAR", "IOMMU-NO-IORT", "IOMMU-NO-IVRS"))  # made of the name of a table
LOWERED = dict.fromkeys((*LOOKED_UP[1], "IOMMU-NO-DRIVER"), "tells")  # by model_copy, where the chapter is off

Function = ast.FunctionDef
Name = tuple[str, str]  # of a function: its module's last name, and its own


class Program:
    """All functions and calls below a directory."""

    def __init__(self, place: Path) -> None:
        self.calls: list[tuple[ast.Call, Name, Function | None]] = []  # a call, what it calls, and where it stands
        self.functions: dict[Name, Function] = {}
        self.names: dict[Function, Name] = {}
        for path in sorted(place.rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            imported = {
                each.asname or each.name: (str(node.module).rpartition(".")[2], each.name)
                for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom)
                for each in node.names
            }
            self._read(tree, None, path.stem, imported)

    def _read(self, node: ast.AST, inside: Function | None, module: str, imported: dict[str, Name]) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function):
                self.functions[module, child.name], self.names[child] = child, (module, child.name)
            elif isinstance(child, ast.Call):
                self.calls.append((child, _called(child.func, module, imported), inside))
            self._read(child, child if isinstance(child, Function) else inside, module, imported)

    def made(self) -> dict[str, set[str]]:
        """The severities of each code."""
        found: dict[str, set[str]] = {}
        for call, name, inside in self.calls:
            if name != ("findings", "Finding"):
                continue
            given = {each.arg: each.value for each in call.keywords if each.arg}
            for code, severity in self._pairs(given["code"], given["severity"], inside):
                found.setdefault(code, set()).add(severity)
        for code, severity in LOWERED.items():
            found.setdefault(code, set()).add(severity)
        return found

    def _pairs(self, code: ast.expr, severity: ast.expr, inside: Function | None) -> Iterator[tuple[str, str]]:
        """Each code with each severity; what a parameter holds is asked of the callers, both at once where both are parameters."""
        free = [each.id for each in (code, severity) if isinstance(each, ast.Name)]
        parameters = [name for name in free if inside is not None and name in _parameters(inside)]
        if not parameters or inside is None:
            for one in self._codes(code, inside):
                yield from ((one, each) for each in _severities(severity, inside))
            return
        for call, where in self._callers(inside):
            given = _arguments(call, inside)
            yield from self._pairs(_instead(code, given), _instead(severity, given), where)

    def _callers(self, function: Function) -> Iterator[tuple[ast.Call, Function | None]]:
        for call, name, where in self.calls:
            if name == self.names[function]:
                yield call, where

    def _codes(self, code: ast.expr, inside: Function | None) -> list[str]:
        if isinstance(code, ast.Constant):
            return [str(code.value)]
        if isinstance(code, ast.JoinedStr):
            assert isinstance(code.values[0], ast.Constant)
            assert code.values[0].value == LOOKED_UP[0], ast.unparse(code)
            return list(LOOKED_UP[1])
        if isinstance(code, ast.Call):
            function = next(name for call, name, _ in self.calls if call is code)
            texts = [each.value for each in ast.walk(self.functions[function]) if isinstance(each, ast.Constant)]
            return [each for each in texts if isinstance(each, str) and each.isupper() and "-" in each]
        if isinstance(code, ast.Name) and inside is not None:
            given = [each.value for each in ast.walk(inside) if isinstance(each, ast.Assign) and _gives(each, code)]
            return [one for value in given for one in self._codes(value, inside)]
        raise AssertionError(f"the code of a finding is not plain: {ast.unparse(code)}")


def _severities(severity: ast.expr, inside: Function | None) -> set[str]:
    """The words that an expression can come to; a local name is what it was given."""
    trees: list[ast.AST] = [severity]
    if isinstance(severity, ast.Name) and inside is not None:
        trees = [
            each for each in ast.walk(inside) if isinstance(each, ast.Assign | ast.AnnAssign) and _gives(each, severity)
        ]
    if isinstance(severity, ast.IfExp):
        trees = [severity.body, severity.orelse]
    found = {each.value for tree in trees for each in ast.walk(tree) if isinstance(each, ast.Constant)}
    assert found & SEVERITIES, f"the severity of a finding is not plain: {ast.unparse(severity)}"
    return {str(each) for each in found & SEVERITIES}


def _gives(assigned: ast.Assign | ast.AnnAssign, name: ast.Name) -> bool:
    targets = assigned.targets if isinstance(assigned, ast.Assign) else [assigned.target]
    return any(isinstance(each, ast.Name) and each.id == name.id for target in targets for each in ast.walk(target))


def _called(function: ast.expr, module: str, imported: dict[str, Name]) -> Name:
    if isinstance(function, ast.Name):
        return imported.get(function.id, (module, function.id))
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return imported.get(function.value.id, ("", ""))[1], function.attr
    return "", ""


def _parameters(function: Function) -> list[str]:
    return [each.arg for each in (*function.args.args, *function.args.kwonlyargs)]


def _arguments(call: ast.Call, function: Function) -> dict[str, ast.expr]:
    return {
        **dict(zip(_parameters(function), call.args, strict=False)),
        **{each.arg: each.value for each in call.keywords if each.arg},
    }


def _instead(value: ast.expr, given: dict[str, ast.expr]) -> ast.expr:
    return given.get(value.id, value) if isinstance(value, ast.Name) else value
