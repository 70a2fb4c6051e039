from shequn.runtime.process import run_service
from shequn.runtime.settings import RuntimeSettings
from tests.support.toy.service import build

run_service(RuntimeSettings, build)
