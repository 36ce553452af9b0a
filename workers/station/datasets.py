"""A run's dataset, looked at before anything starts: refused with file, line and key where it does not fit."""

from collections.abc import Callable

from workers.config import Config, Document
from workers.dataset.errors import DatasetError, DatasetRefused
from workers.processors.errors import EnvironmentRefused
from workers.station.opening import StationRefused, refuse
from workers.station.preflight import apart


def with_dataset(document: Document, config: Config, prepare: Callable[[Config], Config]) -> Config:
    """What `prepare` makes of the configuration with regard to its dataset. Raises StationRefused.

    Whether a dataset fits a Gymnasium environment, only that can tell, and it is opened in a process of its own.
    """
    foreign = config.env.type == "gymnasium" and config.feeds_dataset
    problems = []
    try:
        return apart(prepare, config) if foreign else prepare(config)
    except (DatasetRefused, EnvironmentRefused) as refused:
        problems.append((refused.path, refused.text))
    except DatasetError as error:
        raise StationRefused(str(error)) from error
    refuse(document, problems)
    raise AssertionError("a problem is refused")
