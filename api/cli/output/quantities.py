"""Durations and weights on the command line, written as in the rollout file."""

from datetime import timedelta

import click

from orchestrator.core.domain.ids import Tenths


class DurationType(click.ParamType[timedelta]):
    """``90s``, ``5m``, ``1h30m``; read only when the option is given."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The duration, or a usage error which says what to write."""
        if isinstance(value, timedelta):
            return value
        from orchestrator.config.text.quantities import parse_duration

        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(_advice(error), param, ctx)


class WeightType(click.ParamType[Tenths]):
    """``10%`` or ``10``: green's share of the traffic."""

    name = "weight"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Tenths:
        """The weight, or a usage error which says what to write."""
        from orchestrator.config.text.quantities import parse_weight

        try:
            return parse_weight(value)
        except ValueError as error:
            self.fail(_advice(error), param, ctx)


def _advice(error: ValueError) -> str:
    what, instead = error.args
    return f"{what}: {instead}"


DURATION = DurationType()
WEIGHT = WeightType()
