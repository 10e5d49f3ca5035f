"""What a view is: a slice of a data set for one kind of synthesis, one SQL query per component.

The dataclasses are plain, so that Hydra may hold them as structured config and a notebook may build them by hand. They
are checked on construction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pasteur.errors import ConfigError, near_miss, rule
from pasteur.table import UNIT

WHOLE = "whole"
"""The generic view: every table of a data set as it is."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def _no_empty_query(config: ComponentConfig | PublicConfig) -> None:
    for name, text in (("sql", config.sql), ("postgres", config.postgres)):
        if text is not None and not text.strip():
            raise ConfigError(rule(name, "empty", "one SELECT"))


@dataclass(kw_only=True)
class ComponentConfig:
    """One table of a view."""

    sql: str | None = None
    """One SELECT over the data set's primary tables. None: the primary table of the component's name, as it is."""
    postgres: str | None = None
    """The same in Postgres' dialect, for data that live in a server, where `sql` is not SQL of both."""
    key: list[str] = field(default_factory=list)
    """Columns whose values together come once. Rows are written in the order of the unit, then of these."""
    parent: str | None = None
    """The component that each row belongs to one row of."""
    link: dict[str, str] = field(default_factory=dict)
    """This component's columns -> the columns of the parent's key."""

    def __post_init__(self) -> None:
        """Refuse an empty query, and a parent without columns that lead to it."""
        _no_empty_query(self)
        if bool(self.parent) != bool(self.link):
            raise ConfigError(rule("link", ", ".join(self.link) or "nothing", "given with a parent, and only then"))


@dataclass(kw_only=True)
class PublicConfig:
    """A table that is nobody's: a component's rows may name its rows, and it is handed out as it is."""

    key: str
    """The column that it is named by."""
    sql: str | None = None
    """One SELECT over public tables of the data set. None: the primary table of this name, as it is."""
    postgres: str | None = None
    """The same in Postgres' dialect, where `sql` is not SQL of both."""

    def __post_init__(self) -> None:
        """Refuse an empty query."""
        _no_empty_query(self)


@dataclass(kw_only=True)
class ViewConfig:
    """A view.

    Raises:
        ConfigError: a name that cannot be in a path, an unknown parent, a circle of parents, or a `link` that is not
            the parent's key.
    """

    name: str
    """Its name in paths: letters, digits and underscores."""
    unit: str = UNIT
    """The column with the privacy unit's id. A component without it reaches it through its parent."""
    datasets: list[str] = field(default_factory=list)
    """Data sets that it is a view of; empty: any."""
    schemas: list[str] = field(default_factory=list)
    """Schemas that it has, the default first; empty: any."""
    components: dict[str, ComponentConfig] = field(default_factory=dict)
    """Its tables. Empty: every table of the data set as it is (see `resolve`)."""
    public: dict[str, PublicConfig] = field(default_factory=dict)
    """Tables beside them that are nobody's."""

    def __post_init__(self) -> None:
        """Check what one component cannot know of the others."""
        for name in (self.name, *self.components, *self.public):
            if not _NAME.fullmatch(name):
                raise ConfigError(rule("name", name, "letters, digits and underscores, a letter first"))
        for name in self.public:
            if name in self.components:
                raise ConfigError(rule(f"view {self.name}: public.{name}", "a component too", "one of the two"))
        for name, component in self.components.items():
            self._check_parent(name, component)

    def _check_parent(self, name: str, component: ComponentConfig) -> None:
        if component.parent is None:
            return
        if component.parent not in self.components:
            message = f"view {self.name}: components.{name}.parent ({component.parent}) must be a component"
            raise ConfigError(message + near_miss(component.parent, self.components))
        key = self.components[component.parent].key
        if sorted(component.link.values()) != sorted(key):
            must_be = f"columns that lead to the key of '{component.parent}' ({', '.join(key) or 'none'})"
            raise ConfigError(
                rule(f"view {self.name}: components.{name}.link", ", ".join(component.link.values()), must_be)
            )
        seen = [name]
        while (above := self.components[seen[-1]].parent) is not None:
            if above in seen:
                raise ConfigError(
                    rule(f"view {self.name}: parents of {name}", " <- ".join([*seen, above]), "no circle")
                )
            seen.append(above)

    @property
    def schema(self) -> str:
        """The default schema."""
        return self.schemas[0] if self.schemas else "detail"

    def where(self, component: str) -> str:
        """How messages call a component."""
        return f"view {self.name}, component {component}"
