"""A contract for import-linter: a room of `pasteur` may import the named rooms and no others.

import-linter's own contracts list what is forbidden, so that a new room would be open to all. This one lists what is
allowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from importlinter import Contract, ContractCheck, fields, output

if TYPE_CHECKING:
    from grimp import ImportGraph


class OnlyContract(Contract):
    """`room` imports, of the project's own packages, only those under `may_import`; libraries are not its business."""

    type_name = "only"

    room = fields.ModuleField()
    may_import = fields.ListField(subfield=fields.StringField(), required=False, default=[])

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001  (import-linter's signature)
        """Collect the direct imports that leave the room for a place that is not named."""
        room = str(self.room)
        allowed = (room, *map(str, self.may_import))  # type: ignore[call-overload]  # a field is a descriptor
        top = room.split(".", maxsplit=1)[0]
        broken = [
            (
                importer,
                imported,
                [detail["line_number"] for detail in graph.get_import_details(importer=importer, imported=imported)],
            )
            for importer in sorted({room, *graph.find_descendants(room)})
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if _inside(imported, top) and not any(_inside(imported, place) for place in allowed)
        ]
        output.verbose_print(verbose, f"{room} may import {', '.join(allowed[1:]) or 'nothing'}")
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each import that went through the wall."""
        for importer, imported, lines in check.metadata["broken"]:
            output.print_error(f"- {importer} -> {imported} (l.{', '.join(map(str, lines))})", bold=False)
        output.new_line()


def _inside(module: str, place: str) -> bool:
    return module == place or module.startswith(f"{place}.")
