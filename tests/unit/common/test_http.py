"""A client to the outside gives a whole exchange so long and no longer, however busily the other side goes on talking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from common.http import client, read_bounded


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A server: `/drip` sends a byte of its endless answer now and then, `/head` of its heading; anything else is answered at once."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).split()[1]
        writer.write(b"HTTP/1.1 200 OK\r\n")
        if asked == b"/whole":
            writer.write(b"Content-Length: 5\r\n\r\nwhole")
        elif asked == b"/drip":
            writer.write(b"Content-Length: 1000000\r\n\r\n")
        try:
            while asked != b"/whole":
                writer.write(b"x" if asked == b"/drip" else b"X-More: x\r\n")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            return  # hung up on
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


@pytest.mark.parametrize("path", ["/drip", "/head"])
async def test_an_answer_without_an_end_is_cut_off(address: str, path: str) -> None:
    async with asyncio.timeout(10), client(to=[address], timeout=5.0, total=0.3) as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.get(address + path)
        with pytest.raises(httpx.ReadTimeout):
            async with http.stream("GET", address + path) as answer:
                await read_bounded(answer)


async def test_an_answer_in_time_is_whole(address: str) -> None:
    async with client(to=[address], timeout=5.0) as http:
        assert (await http.get(f"{address}/whole")).text == "whole"
        async with http.stream("GET", f"{address}/whole") as answer:
            assert await read_bounded(answer) == b"whole"
