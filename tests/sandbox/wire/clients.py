"""Unmodified AWS clients bound to a skin, for tests."""

import os
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config

from sandbox.wire.skin import Skin
from sandbox.world import World, WorldSettings
from tests.support.inprocess_wire import attach

Wire = Any  # what botocore takes and gives

START = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox", "region_name": "eu-west-1"}
ONE_ATTEMPT = {"total_max_attempts": 1}


def calm_world() -> World:
    return World(start=START, settings=WorldSettings.kind())


def boto(service: str, skin: Skin) -> Wire:
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    session = boto3.session.Session(**KEYS)
    return attach(session.client(service, config=Config(retries=ONE_ATTEMPT)), skin)
