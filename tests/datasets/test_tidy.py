from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pasteur.errors import ConfigError, DataError


def refused(project, content, text=""):
    with pytest.raises(DataError) as error:
        project.core(content, text)
    return str(error.value)


def test_types_names_and_nulls_as_declared(project):
    made = project.core(
        "id,Full Name,flag,day,at,x,junk\n 1 , Ann ,true,2020-02-29,2020-02-29 10:00:01, 1.5 ,q\n2,?,0,,?,?,q\n",
        """
        tables:
          core:
            nulls: ["", "?"]
            drop: [junk]
            rename: {Full Name: name}
            replace: {name: {Ann: Anna}}
            types: {id: int64, name: string, flag: bool, day: date, at: timestamp, x: float64}
        """,
    )
    assert made.schema == pa.schema(
        [
            ("id", pa.int64()),
            ("name", pa.string()),
            ("flag", pa.bool_()),
            ("day", pa.date32()),
            ("at", pa.timestamp("us")),
            ("x", pa.float64()),
        ]
    )
    assert made.to_pylist() == [
        {
            "id": 1,
            "name": "Anna",
            "flag": True,
            "day": dt.date(2020, 2, 29),
            "at": dt.datetime(2020, 2, 29, 10, 0, 1),  # noqa: DTZ001 - primary times have no zone
            "x": 1.5,
        },
        {"id": 2, "name": None, "flag": False, "day": None, "at": None, "x": None},
    ]


def test_what_is_not_declared_is_inferred(project):
    made = project.core(
        "n,x,code,flag,day,at,zoned,text,void,digit\n"
        "1,1,007,true,2020-01-01,2020-01-01 10:00:00,2020-01-01T10:00:00+02:00,a,,1\n"
        "-2,2.5e3,1,FALSE,2020-12-31,2020-01-01T10:00:01.5,2020-06-01T10:00:00Z,1,,0\n"
        ",,,,,,,,,\n"
    )
    moment = pa.timestamp("us")
    kinds = [pa.int64(), pa.float64(), pa.string(), pa.bool_(), pa.date32(), moment, moment, pa.string(), pa.string()]
    assert made.schema.types == [*kinds, pa.int64()]
    assert made["zoned"].to_pylist()[0] == dt.datetime(2020, 1, 1, 8)  # noqa: DTZ001 - UTC, without a zone
    assert made["void"].null_count == 3


def test_texts_keep_their_blanks_where_asked_to(project):
    made = project.core("a\n x \n", "tables: {core: {strip: false}}")
    assert made["a"].to_pylist() == [" x "]


def test_dates_in_a_format(project):
    text = "tables: {core: {types: {day: date}, formats: {day: '%d/%m/%Y'}}}"
    assert project.core("day\n31/12/2020\n", text)["day"].to_pylist() == [dt.date(2020, 12, 31)]
    project.root.joinpath("core.csv").unlink()
    project.raw().joinpath("hashes.json").unlink()
    message = refused(project, "day\n31/12/2020\n12/31/2020\n", text)
    assert message == "table 'core', file 'core', row 2: column 'day' is not a date (date) in the format %d/%m/%Y"


@pytest.mark.parametrize(
    ("kind", "good", "word"),
    [
        ("int64", "17", "a whole number (int64)"),
        ("float64", "1.5", "a number (float64)"),
        ("bool", "true", "true or false (bool)"),
        ("date", "2020-01-01", "a date (date)"),
        ("timestamp", "2020-01-01 00:00:00", "a date and time (timestamp)"),
    ],
)
@pytest.mark.parametrize("row", [1, 2, 777, 1000])
def test_a_value_of_another_type_is_told_by_its_row_alone(project, kind, good, word, row):
    lines = [good] * 1000
    lines[row - 1] = lines[-1] = "s3cret"
    message = refused(project, "a\n" + "\n".join(lines) + "\n", f"tables: {{core: {{types: {{a: {kind}}}}}}}")
    assert message == f"table 'core', file 'core', row {row}: column 'a' is not {word}"


def test_a_row_is_counted_in_its_own_file(project):
    project.write("one.csv", "a,b\n1,2\n")
    project.write("two.csv", "b,a\n1,2\n3,x\n")
    text = """
    files: {one: {path: one.csv}, two: {path: two.csv}}
    tables: {core: {files: [one, two], types: {a: int64}}}
    """
    with pytest.raises(DataError, match="table 'core', file 'two', row 2: column 'a' is not a whole number"):
        project.tidy(project.config(text))
    project.write("two.csv", "b,a\n1,2\n3,4\n")
    project.fetch(project.config(text), accept=True)
    made = project.tidy(project.config(text))["core"].arrow().drop(["_unit"])
    assert made.to_pydict() == {"a": [1, 2, 4], "b": [2, 1, 3]}
    project.write("two.csv", "b,c\n1,2\n")
    project.fetch(project.config(text), accept=True)
    with pytest.raises(DataError, match=r"files 'one' and 'two' differ in columns \['a', 'c'\]"):
        project.tidy(project.config(text))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("types: {agee: int64}", "column 'agee' is not in table 'core'; did you mean 'age'?"),
        ("types: {weight: int64}", "column 'weight' is not in table 'core', which has 2 columns"),
        ("drop: [nam]", "column 'nam' is not in file 'core' of table 'core'; did you mean 'name'?"),
        ("rename: {age: name}", "table 'core': a column is renamed to the name of another in file 'core'"),
        ("rename: {age: _unit}", "table 'core': column name '_unit' is kept for the unit's id"),
        ("unique: [id]", "column 'id' is not in table 'core', which has 2 columns"),
        ("unique: [age]", "table 'core', row 3: column 'age' must be unique, but has an earlier value"),
        ("unique: [name]", "table 'core', row 2: column 'name' must be unique, but is missing"),
    ],
)
def test_a_table_that_is_not_what_was_declared(project, entry, message):
    content = "age,name\n31,Ann\n32,\n31,Bob\n"
    assert refused(project, content, f"tables: {{core: {{{entry}}}}}").startswith(message)


FAMILY = """
files: {parent: {path: parent.csv}, child: {path: child.csv}}
unit: {column: id}
tables:
  parent: {unique: [id]}
  child: {foreign_keys: {parent_id: parent.id}}
"""


def test_a_child_without_a_parent(project):
    project.write("parent.csv", "id\n1\n2\n")
    project.write("child.csv", "parent_id,x\n1,a\n,b\n3,c\n4,d\n")
    with pytest.raises(DataError) as error:
        project.tidy(project.config(FAMILY))
    assert str(error.value) == "table 'child', row 3: column 'parent_id' names no row of parent.id (2 such rows)"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("drop", [("1", "a"), (None, "b")]), ("keep", [("1", "a"), (None, "b"), (None, "c"), (None, "d")])],
)
def test_orphans_go_or_stay_without_a_parent_as_declared(project, policy, expected):
    project.write("parent.csv", "id\n1\n2\n")
    project.write("child.csv", "parent_id,x\n1,a\n,b\n3,c\n4,d\n")
    text = FAMILY.replace("parent.id}}", f"parent.id}}, orphans: {{parent_id: {policy}}}}}")
    child = project.tidy(project.config(text))["child"].arrow()
    assert [(None if i is None else str(i), x) for i, x in zip(*child.to_pydict().values(), strict=True)] == expected


def test_an_orphans_child_is_an_orphan_itself(project):
    project.write("parent.csv", "id\n1\n")
    project.write("child.csv", "child_id,parent_id\na,1\nb,2\n")
    project.write("toy.csv", "child_id\na\nb\n")
    text = """
files: {parent: {path: parent.csv}, child: {path: child.csv}, toy: {path: toy.csv}}
unit: {column: id, table: parent}
tables:
  toy: {foreign_keys: {child_id: child.child_id}, orphans: {child_id: drop}}
  child: {foreign_keys: {parent_id: parent.id}, orphans: {parent_id: drop}}
  parent: {unique: [id]}
"""
    tables = project.tidy(project.config(text))
    assert (tables["child"].rows, tables["toy"].rows) == (1, 1)
    with pytest.raises(DataError, match=r"table 'toy', row 2: column 'child_id' names no row of child.child_id"):
        project.tidy(project.config(text.replace("orphans: {child_id: drop}", "orphans: {child_id: refuse}")))


def test_a_policy_for_no_foreign_key_and_one_that_is_none(project):
    with pytest.raises(ConfigError, match=r"orphans\.parent \(parent\) must be a name that exists; .*parent_id"):
        project.config(FAMILY.replace("parent.id}}", "parent.id}, orphans: {parent: drop}}"))
    with pytest.raises(
        ConfigError, match=r"orphans\.parent_id \(kept\) must be one of refuse, drop, keep; did you mean 'keep'"
    ):
        project.config(FAMILY.replace("parent.id}}", "parent.id}, orphans: {parent_id: kept}}"))


def test_a_policy_in_a_circle_of_tables(project):
    project.write("parent.csv", "id,best\n1,1\n2,1\n")
    project.write("child.csv", "parent_id,x\n1,1\n")
    text = FAMILY.replace("{unique: [id]}", "{unique: [id], foreign_keys: {best: child.x}, orphans: {best: keep}}")
    with pytest.raises(ConfigError, match="of tables whose foreign keys go in no circle"):
        project.tidy(project.config(text))


def test_a_missing_reference_is_no_orphan_and_types_must_agree(project):
    project.write("parent.csv", "id\n1\n2\n")
    project.write("child.csv", "parent_id,x\n1,a\n,b\n")
    assert project.tidy(project.config(FAMILY))["child"].rows == 2
    project.write("child.csv", "parent_id,x\none,a\n")
    project.fetch(project.config(FAMILY), accept=True)
    with pytest.raises(DataError, match="must be the same"):
        project.tidy(project.config(FAMILY))
    with pytest.raises(DataError, match=r"column 'di' \(foreign_keys of table 'child'\) is not in table 'parent'"):
        project.tidy(project.config(FAMILY.replace("parent.id", "parent.di")))


def test_a_unit_column_that_is_not_there(project):
    message = refused(project, "id,x\n1,2\n", "unit: {column: ids}")
    assert message == "column 'ids' is not in table 'core' (unit); did you mean 'id'?"


def test_the_types_of_parquet_become_ours(project):
    moment = dt.datetime(2020, 1, 1, 12, tzinfo=dt.UTC)
    table = pa.table(
        {
            "small": pa.array([1, None], pa.int8()),
            "real": pa.array([0.5, None], pa.float32()),
            "void": pa.nulls(2),
            "coded": pa.array(["x ", "y"]).dictionary_encode(),
            "digits": ["1", "2"],
            "zoned": pa.array([moment, None], pa.timestamp("ns", "Europe/Athens")),
            "fine": pa.array([1_000_000_001, None], pa.timestamp("ns")),
            "money": pa.array([None, None], pa.decimal128(5, 2)),
        }
    )
    pq.write_table(table, project.root / "core.parquet")
    made = project.tidy(project.config(files={"core": {"path": "core.parquet"}}))["core"].arrow().drop(["_unit"])
    text, moment_type = pa.string(), pa.timestamp("us")
    assert made.schema.types == [pa.int64(), pa.float64(), text, text, text, moment_type, moment_type, pa.float64()]
    assert made["zoned"].to_pylist()[0] == moment.replace(tzinfo=None)
    assert made["coded"].to_pylist() == ["x", "y"]
    assert made["fine"].to_pylist()[0] == dt.datetime(1970, 1, 1, 0, 0, 1)  # noqa: DTZ001 - primary times have no zone


def test_a_nested_column_is_refused(project):
    pq.write_table(pa.table({"a": [[1], [2]]}), project.root / "core.pq")
    with pytest.raises(DataError, match="table 'core': column 'a' must be flat"):
        project.tidy(project.config(files={"core": {"path": "core.pq"}}))


def test_a_whole_number_that_no_int64_holds(project):
    pq.write_table(pa.table({"a": pa.array([1, 2**64 - 1], pa.uint64())}), project.root / "core.pq")
    with pytest.raises(DataError, match="row 2: column 'a' is not a whole number"):
        project.tidy(project.config(files={"core": {"path": "core.pq"}}))
