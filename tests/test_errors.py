"""One tree of exceptions: whatever the package defines is a RiffleError, and users can catch it as one."""

import importlib
import inspect
import pickle
import pkgutil

import pytest

import riffle
from riffle import errors
from riffle.errors import RiffleError
from riffle.isa import spec

# need what this environment may lack, or are imported by hls4ml, in an order of its own
ELSEWHERE = ("riffle.export.hls4ml", "riffle.board", "riffle.zoo.train_digits", "riffle.analysis.figures")


def modules():
    for found in pkgutil.walk_packages(riffle.__path__, "riffle."):
        if not found.name.startswith(ELSEWHERE) and not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def test_every_exception_is_defined_in_errors():
    for module in modules():
        for name, thing in inspect.getmembers(module, inspect.isclass):
            if issubclass(thing, Exception) and thing.__module__.startswith("riffle"):
                assert issubclass(thing, RiffleError), f"{module.__name__}.{name} is no RiffleError"
                assert thing.__module__ == errors.__name__, f"{name} is defined in {thing.__module__}"


@pytest.mark.parametrize("error, builtin", [
    (errors.InputError, ValueError), (errors.ConversionError, ValueError), (errors.SharedMemoryError, MemoryError)])
def test_errors_with_a_built_in_counterpart(error, builtin):
    assert issubclass(error, RiffleError) and issubclass(error, builtin)


@pytest.mark.parametrize("code", [code for code in spec.ERRORS if code])
def test_errors_of_the_hardware_have_name_and_remedy(code):
    name, meaning, remedy = spec.ERRORS[code]
    error = errors.BusError(0x40, code, "read") if name.startswith("BUS_") else errors.EngineError(code, 3, 7, "conv1")
    assert error.name == name and meaning in str(error) and f"Remedy: {remedy}." in str(error)


def test_unknown_code_of_the_bus_is_an_error_all_the_same():
    assert "refused with an unknown code" in str(errors.BusError(0x40, None, "read"))


@pytest.mark.parametrize("error", [
    errors.BusError(0x40, 32, "read"), errors.EngineError(1, 3, 7, "conv1"), errors.RunTimeout(100, {"CTRL": 1}, True),
    errors.InputError("the image is None"), errors.SharedMemoryError("none left")])
def test_errors_come_whole_from_another_process(error):
    """As from a pool of workers, or a board process: with what they say, and what they hold."""
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error) and str(copy) == str(error) and vars(copy) == vars(error)
