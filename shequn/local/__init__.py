"""The embedded stack: NATS and PostgreSQL from wheels, Prefect and all services, supervised."""

from .applications import application, standard_applications
from .errors import LocalStackError
from .probes import http_ok
from .restarts import RestartPolicy
from .settings import LocalSettings
from .signals import EndedBySignals
from .spec import Probe, ProcessSpec
from .stack import LocalStack
from .state import StackRecord, empty_folder, read_record
from .supervised import ProcessState, SupervisedProcess

__all__ = [
    "EndedBySignals",
    "LocalSettings",
    "LocalStack",
    "LocalStackError",
    "Probe",
    "ProcessSpec",
    "ProcessState",
    "RestartPolicy",
    "StackRecord",
    "SupervisedProcess",
    "application",
    "empty_folder",
    "http_ok",
    "read_record",
    "standard_applications",
]
