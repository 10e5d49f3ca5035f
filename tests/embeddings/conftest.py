"""Columns and tables declared in a line."""

import pytest

from pasteur.schema import Column, TableSchema


@pytest.fixture
def column():
    def make(embedding, domain, sdtype="numerical", name="age", **sdv):
        return Column(
            name=name,
            table="core",
            sdtype=sdtype,
            embedding=embedding,
            domain=domain,
            source="a codebook",
            declared=True,
            sdv={"sdtype": sdtype, **sdv},
        )

    return make


@pytest.fixture
def table_schema():
    def make(*columns, key=None):
        return TableSchema(name="core", columns=tuple(columns), primary_key=key)

    return make
