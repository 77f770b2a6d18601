"""`python -m common.topic_admin HOST:PORT [REPLICATION]`: create every missing topic with the agreed number of partitions.

Run before any client starts: topics are never created by use, since the number of partitions is part of the contract.
"""

from __future__ import annotations

import asyncio
import sys

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from common.topics import ALL_TOPICS, PARTITIONS

__all__ = ["create_topics"]


async def create_topics(bootstrap: str, replication: int = 1) -> int:
    """Create every topic that is missing; how many were new. Raises KafkaError when the broker refuses one."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        missing = [NewTopic(topic, num_partitions=PARTITIONS, replication_factor=replication) for topic in ALL_TOPICS if topic not in there]
        if missing:
            answer = await admin.create_topics(missing)
            for topic, code, *_ in answer.topic_errors:
                error = for_code(code)
                if code and error is not TopicAlreadyExistsError:
                    raise KafkaError(f"topic {topic} cannot be created: {error.__name__}")
        return len(missing)
    finally:
        await admin.close()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python -m common.topic_admin HOST:PORT [REPLICATION]")
    created = asyncio.run(create_topics(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 1))
    sys.stdout.write(f"{created} topics created, {len(ALL_TOPICS) - created} were there\n")
