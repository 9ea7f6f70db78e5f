"""Which periods a metric can be asked for."""

from sandbox.world.kernel.errors import AwsRefusal

HIGH_RESOLUTION = (1, 5, 10, 20, 30)


def check_period(period: int, minute_seconds: float, *, is_custom: bool = False) -> None:
    """Raises AwsRefusal unless CloudWatch knows the period; AWS's own metrics come in whole minutes of this World."""
    if period not in HIGH_RESOLUTION and (period <= 0 or period % 60):
        raise AwsRefusal("ValidationError", f"Period {period} is not 1, 5, 10, 20, 30 or a multiple of 60")
    if not is_custom and period % minute_seconds:
        raise AwsRefusal(
            "ValidationError",
            f"Period {period} is not a multiple of this sandbox's minute, {minute_seconds:g} s",
        )
