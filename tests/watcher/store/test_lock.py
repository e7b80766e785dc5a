import pytest

from watcher.instance import AlreadyRunning, single_instance


@pytest.mark.outside
def test_one_instance_at_a_time_on_a_postgresql_store(postgres_url: str) -> None:
    with (
        single_instance(postgres_url),
        pytest.raises(AlreadyRunning, match=r"in use by claude-watcher, pid \d+ on "),
        single_instance(postgres_url),
    ):
        pytest.fail("two instances at once")
    with single_instance(postgres_url):
        pass
