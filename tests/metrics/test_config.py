from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from pasteur.errors import ConfigError
from pasteur.metrics.config import MetricsConfig


def test_it_is_a_structured_config():
    node = OmegaConf.merge(OmegaConf.structured(MetricsConfig), {"depth": "full", "families": ["sql"], "triples": 7})
    assert OmegaConf.to_object(node) == MetricsConfig(depth="full", families=["sql"], triples=7)
    assert MetricsConfig().split == "dev"
    assert MetricsConfig(final=True).split == "val"


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({"depth": "ful"}, r"metrics.depth \(ful\) must be one of quick, standard, full; did you mean 'full'\?"),
        ({"sample": 10}, r"metrics.sample \(10\) must be 100 or more"),
        ({"triples": -1}, r"metrics.triples \(-1\) must be 0 or more"),
    ],
)
def test_values_out_of_range(over, message):
    with pytest.raises(ConfigError, match=message):
        MetricsConfig(**over)
