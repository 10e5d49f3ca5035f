from __future__ import annotations

import pytest

from pasteur.errors import ConfigError, SqlError
from pasteur.metrics import MetricsConfig, load

AGES = "-- name: ages\n-- kind: dist\n-- values: age=number\nSELECT age FROM core"
CITY = (
    AGES.replace("ages", "cities")
    .replace("dist", "share\n-- keys: city")
    .replace("age=number", "n=count")
    .replace("SELECT age FROM core", "SELECT city, count(*) AS n FROM core GROUP BY city")
)
AWAY = "-- name: away\n-- kind: dist\n-- values: x=number\nSELECT x FROM elsewhere"


def write(folder, **files):
    for name, text in files.items():
        owner, _, rest = name.partition("__")
        path = folder / owner / rest.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def bench(schema, *folders, settings=None, dataset="shop", view="people"):
    return load(settings or MetricsConfig(), schema=schema, dataset=dataset, view=view, folders=folders)


def test_nothing_written_is_everything_at_the_depth(schema_of, tmp_path):
    schema = schema_of("rich", "height")
    found = bench(schema, tmp_path)
    assert (found.queries, found.settings, found.schema) == ((), MetricsConfig(), schema)


def test_the_views_lies_over_the_data_sets_and_the_command_line_over_both(schema_of, tmp_path):
    write(
        tmp_path,
        shop__metrics__yml="families: [marginals]\ntriples: 7\ntargets: [height]\n",
        people__metrics__yml="families: [sql, predictive]\n",
    )
    found = bench(schema_of("rich", "height"), tmp_path)
    assert found.settings == MetricsConfig(families=["sql", "predictive"], triples=7)
    assert [target.column for target in found.schema.targets] == ["height"]
    over = bench(schema_of("rich", "height"), tmp_path, settings=MetricsConfig(families=["sql"], triples=9))
    assert over.settings == MetricsConfig(families=["sql"], triples=9)


def test_queries_of_both_folders_and_by_pattern(flat, tmp_path):
    write(tmp_path, shop__bench__general__sql=AGES, people__bench__core__sql=CITY)
    assert [query.name for query in bench(flat, tmp_path).queries] == ["ages", "cities"]
    write(tmp_path, people__metrics__yml="queries: [core.*]")
    assert [query.name for query in bench(flat, tmp_path).queries] == ["cities"]
    write(tmp_path, people__metrics__yml="queries: [cora.*]")
    with pytest.raises(ConfigError, match=r"'cora.\*' matches no query"):
        bench(flat, tmp_path)


def test_a_users_file_hides_the_packaged_one_of_its_name(flat, tmp_path):
    write(tmp_path / "own", people__bench__core__sql=CITY)
    write(tmp_path / "packaged", people__bench__core__sql=AGES, people__bench__more__sql=AGES)
    found = bench(flat, tmp_path / "own", tmp_path / "packaged")
    assert [query.name for query in found.queries] == ["cities", "ages"]


def test_a_data_sets_query_over_tables_that_the_view_lacks_is_noted_and_a_views_is_an_error(flat, tmp_path):
    write(tmp_path, shop__bench__x__sql=AWAY)
    found = bench(flat, tmp_path)
    assert found.queries == ()
    assert found.notes == {"sql/away": "names 'elsewhere', which view 'people' lacks"}
    write(tmp_path, people__bench__x__sql=AWAY)
    with pytest.raises(ConfigError, match=r"people/bench.x.sql:1: query 'away': names 'elsewhere'"):
        bench(flat, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("familys: [sql]", r"people/metrics.yml: 'familys' is not a known key; did you mean 'families'"),
        ("families: sql", r"families \(sql\) must be a list of names"),
        ("families: [sqll]", r"no family 'sqll'; did you mean 'sql'"),
        ("targets: [reich]", r"target 'reich' is not declared in the schema; did you mean 'rich'"),
        ("triples: -1", r"triples \(-1\) must be a whole number of 0 or more"),
        ("- sql", r"must be a mapping of families, targets"),
        ("a: [", r"people/metrics.yml: is not valid YAML"),
        ("families: !!python/object/apply:os.getcwd []", r"people/metrics.yml: is not valid YAML"),
    ],
)
def test_mistakes_in_metrics_yml(flat, tmp_path, text, message):
    write(tmp_path, people__metrics__yml=text)
    with pytest.raises(ConfigError, match=message):
        bench(flat, tmp_path)


def test_mistakes_in_queries(flat, tmp_path):
    write(tmp_path, shop__bench__a__sql=AGES, people__bench__a__sql=AGES)
    with pytest.raises(ConfigError, match=r"people/bench.a.sql:1: .* shop/bench.a.sql:1"):
        bench(flat, tmp_path)
    write(tmp_path, shop__bench__a__sql=AGES.replace("SELECT age", "SELECT getenv('HOME') AS age"))
    with pytest.raises(SqlError, match=r"shop/bench.a.sql:1: query 'ages': function 'getenv' is not allowed"):
        bench(flat, tmp_path)


def test_a_list_of_none_is_none_and_not_all(schema_of, tmp_path):
    write(tmp_path, people__metrics__yml="targets: []\nqueries: []\nfamilies: []\n", people__bench__core__sql=AGES)
    found = bench(schema_of("rich"), tmp_path)
    assert (found.schema.targets, found.queries, found.settings.families) == ((), (), [])


def test_a_data_set_and_a_view_of_one_name_are_read_once(flat, tmp_path):
    write(tmp_path, people__bench__core__sql=AGES)
    assert len(bench(flat, tmp_path, dataset="people").queries) == 1


def test_zero_triples_of_the_command_line_are_zero(flat, tmp_path):
    write(tmp_path, people__metrics__yml="triples: 7\n")
    assert bench(flat, tmp_path, settings=MetricsConfig(triples=0)).settings.triples == 0


@pytest.mark.parametrize("text", ["triples: true", "triples: 1.5", "triples: -1", "triples: many"])
def test_triples_are_a_whole_number(flat, tmp_path, text):
    write(tmp_path, people__metrics__yml=text)
    with pytest.raises(ConfigError, match=r"people/metrics\.yml: triples \(.*\) must be a whole number of 0 or more"):
        bench(flat, tmp_path)


@pytest.mark.parametrize("key", ["families", "targets", "queries"])
def test_one_name_must_be_a_list_all_the_same(flat, tmp_path, key):
    write(tmp_path, people__metrics__yml=f"{key}: sql")
    with pytest.raises(ConfigError, match=rf"people/metrics\.yml: {key} \(sql\) must be a list of names"):
        bench(flat, tmp_path)


def test_a_family_that_the_command_line_misspells_is_named(flat, tmp_path):
    with pytest.raises(ConfigError, match=r"no family 'predictiv'; did you mean 'predictive'\?"):
        bench(flat, tmp_path, settings=MetricsConfig(families=["predictiv"]))


def test_two_queries_of_one_metric_in_two_topics_clash(flat, tmp_path):
    write(tmp_path, people__bench__a__sql=AGES, people__bench__b__sql=AGES.replace("ages", "Ages"))
    with pytest.raises(ConfigError, match=r"people/bench\.b\.sql:1: query 'Ages': must have a name of its own"):
        bench(flat, tmp_path)
