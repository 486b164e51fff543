"""Python runs this at its start, and so before moto_server: it executes state machines, which a server cannot be told."""

import sys
from functools import cache

from moto.core.config import default_user_config
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.asl.utils import json_path
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

default_user_config["stepfunctions"] = {"execute_state_machine": True}
# Each execution copies its machine, and with the first one's locks the copy of a second fails.
StateMachine.__deepcopy__ = lambda self, memo: self
# A worker of a map takes its next item one call deeper: it fails, and says nothing, at some 900 of them.
sys.setrecursionlimit(100_000)
# Each path was parsed by a grammar made for it alone: most of the time that an item took.
json_path.parse = cache(json_path.parse)

list_map_runs = StepFunctionsParserBackend.list_map_runs


# While the definition of an execution is parsed it has no environment yet, and the question ended in an error 500.
def list_map_runs_so_far(self, execution_arn):
    worker = self.describe_execution(execution_arn).exec_worker
    has_begun = worker is not None and worker.env is not None
    return list_map_runs(self, execution_arn) if has_begun else {"mapRuns": []}


StepFunctionsParserBackend.list_map_runs = list_map_runs_so_far
