from tests.contract.conftest import play

__all__ = ["play"]
