"""Tables as the frames that SDV takes, and what it makes as tables of the declared types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pasteur.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from pasteur.synth._sdv import Frames, Metadata


def frames(data: Mapping[str, Table]) -> dict[str, pd.DataFrame]:
    """Each component as a frame: times in nanoseconds, as SDV takes any for such; a missing whole number as a float."""
    found = {}
    for component, table in data.items():
        frame = table.arrow().to_pandas(date_as_object=False)
        times = frame.select_dtypes("datetime").columns
        found[component] = frame.astype(dict.fromkeys(times, "datetime64[ns]"))
    return found


def plain(metadata: Metadata, data: Mapping[str, Table]) -> dict[str, Any]:
    """V2 metadata of the components of `data` alone: tables without keys of sequences, which only `par` reads."""
    tables = {
        component: {
            key: value
            for key, value in metadata["tables"][component].items()
            if key not in ("sequence_key", "sequence_index")
        }
        for component in data
    }
    return {
        "METADATA_SPEC_VERSION": "V2",
        "tables": tables,
        "relationships": [dict(r) for r in metadata.get("relationships", [])],
    }


def tables(drawn: Frames, schemas: Mapping[str, pa.Schema], metadata: Metadata) -> dict[str, Table]:
    """What SDV made, as tables of the types it learnt from. Whole-number ids count from 1, references following."""
    ids = _ids(drawn, schemas, metadata)
    made = {}
    for component, schema in schemas.items():
        columns = [
            ids[component, field.name]
            if (component, field.name) in ids
            else _column(drawn[component][field.name], field)
            for field in schema
        ]
        made[component] = Table.of(pa.table(columns, schema=schema))
    return made


def _ids(drawn: Frames, schemas: Mapping[str, pa.Schema], metadata: Metadata) -> dict[tuple[str, str], pa.Array]:
    """Each id column of whole numbers, renumbered: SDV makes text of its own where no form is declared."""
    import pandas as pd

    above = {
        (r["child_table_name"], r["child_foreign_key"]): (r["parent_table_name"], r["parent_primary_key"])
        for r in metadata.get("relationships", [])
    }
    families: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for component, schema in schemas.items():
        for name, column in metadata["tables"][component]["columns"].items():
            if column["sdtype"] == "id" and pa.types.is_integer(schema.field(name).type):
                root = component, name
                while root in above:
                    root = above[root]
                families.setdefault(root, []).append((component, name))
    found = {}
    for root, members in families.items():
        ordered = sorted(members, key=lambda member: member != root)  # the parent's own first: it counts from 1
        parts = [drawn[component][name].astype(object) for component, name in ordered]
        codes, _ = pd.factorize(pd.concat(parts, ignore_index=True))
        ends = np.cumsum([len(part) for part in parts])
        for (component, name), numbers in zip(ordered, np.split(codes + 1, ends[:-1]), strict=True):
            array = pa.array(numbers, mask=numbers == 0).cast(schemas[component].field(name).type)
            found[component, name] = array
    return found


def _column(values: pd.Series, field: pa.Field) -> pa.Array:
    """One column in its declared type; what is missing is null."""
    import pandas as pd

    kind = field.type
    if pa.types.is_integer(kind):
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        missing = ~np.isfinite(numbers)
        return pa.array(np.rint(np.where(missing, 0, numbers)).astype(np.int64), mask=missing).cast(kind)
    if pa.types.is_floating(kind):
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        return pa.array(numbers, mask=~np.isfinite(numbers)).cast(kind)
    if pa.types.is_temporal(kind):
        return pa.Array.from_pandas(pd.to_datetime(values)).cast(kind, safe=False)
    held = values.astype(object)
    if pa.types.is_string(kind):
        return pa.array(
            [None if missing else str(value) for value, missing in zip(held, held.isna(), strict=True)], kind
        )
    return pa.Array.from_pandas(held.where(held.notna(), None), type=kind)
