"""Python runs this at its start, and so before moto_server: it executes state machines, which a server cannot be told."""

import sys
from functools import cache

from moto.core.config import default_user_config
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.asl.utils import json_path

default_user_config["stepfunctions"] = {"execute_state_machine": True}
# Each execution copies its machine, and with the first one's locks the copy of a second fails.
StateMachine.__deepcopy__ = lambda self, memo: self
# A worker of a map takes its next item one call deeper: it fails, and says nothing, at some 900 of them.
sys.setrecursionlimit(100_000)
# Each path was parsed by a grammar made for it alone: most of the time that an item took.
json_path.parse = cache(json_path.parse)
