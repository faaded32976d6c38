"""The door: stored once, chained, verified."""
from tests.conftest import Play
from muster.ledger.verify import verify
from muster.catalogue import CATALOGUE

def test_empty_verifies(play: Play) -> None:
    async def story(muster):
        async with muster.pool.connection() as conn:
            return await verify(conn, CATALOGUE)
    assert play(story) == []
