"""Any order of events, crashes, backfills and upkeep leaves the tables that the oracle says.

A Hypothesis state machine over the real stream: broker, Spark and Delta. CI plays one script that
holds every operation, and a few short random games; `make machine` plays many long ones.
"""

from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import Lake
from usage_platform_tests.services.lake_game import LakeGame

GAME = settings(
    max_examples=2,
    stateful_step_count=6,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

pytestmark = [pytest.mark.kafka, pytest.mark.spark]


@pytest.fixture(scope="module")
def world(broker, put, read_all, spark, tmp_path_factory):
    """What a game needs: the services, and a lake with empty tables to begin with."""
    folder = tmp_path_factory.mktemp("games")
    create_tables(Lake(str(folder / "empty")))
    return SimpleNamespace(kafka=broker, put=put, read_all=read_all, spark=spark, folder=folder)


def test_a_script_of_every_operation_leaves_the_oracles_tables(world):
    game = LakeGame(world)
    game.begin()
    game.run()
    game.produce([(kind, 11 + n) for n, kind in enumerate(game.KINDS)], 0)
    game.crash("after the readings")
    # The newest day only: it must close the hours that were open on the evening before.
    game.backfill(game.clock["library"].date())
    game.run()
    game.add_a_partition()
    game.produce([(LakeGame.in_order, 5), (LakeGame.dated_2099, 1), (LakeGame.corrected, 4)], 1)
    game.crash("after the rejects")
    game.optimize_and_vacuum()
    game.lose_the_checkpoint()
    game.teardown()


def test_random_games_leave_the_oracles_tables(world):
    is_long = settings.get_current_profile_name() == "long"
    chosen = settings.get_profile("long") if is_long else GAME
    run_state_machine_as_test(lambda: LakeGame(world), settings=chosen)
