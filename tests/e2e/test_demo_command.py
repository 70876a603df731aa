"""`bellwether demo --once`, as a person runs it: everything really starts, counts, answers and ends."""

import asyncio
import csv
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from bellwether_cli.demo.story import BRANDS

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

DATA = Path(__file__).parents[2].parent / "shared" / "data"


async def demo(*options: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bellwether_cli", "demo", "--once", *options,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_the_invented_brands_get_a_scorecard_with_values() -> None:
    code, output = await demo("--days", "3")
    assert code == 0, output
    assert all(brand.slug in output for brand in BRANDS)
    mentions = re.search(r"Brand mentions +│(.*)", output)
    assert mentions, output
    assert [int(cell.split()[0].replace(",", "")) > 0 for cell in mentions[1].split("│")[:3]] == [True] * 3
    the_life_of_a_crisis_is_told(output)


def the_life_of_a_crisis_is_told(output: str) -> None:
    """Each step in its order, and of each a webhook with a good signature."""
    lines = [line for line in output.splitlines() if re.search(r"after \d+\.\d\d s, signed *$", line)]
    phases = [line.split()[0] for line in lines]
    assert [phase for phase in phases if phase != "escalated"] == ["opened", "acknowledged", "responded", "resolved"], (
        output
    )
    assert "NOT SIGNED" not in output
    assert " detector " in lines[0]
    assert re.search(r"^crisis \S+ of nimbus-mobile: resolved; begun", output, re.MULTILINE), output


async def test_a_file_of_real_tweets_is_counted_as_it_is() -> None:
    path = DATA / "airline.csv"
    if not path.is_file():
        pytest.skip(f"the data set airline.csv is not in {DATA}")
    code, output = await demo("--data", str(path))
    assert code == 0, output
    assert "7189 accepted, 0 rejected" in output
    with path.open(encoding="utf-8", newline="") as file:
        counted = Counter((row["airline"].lower().replace(" ", "-"), row["sentiment"]) for row in csv.DictReader(file))
    for slug in {slug for slug, _ in counted}:
        line = re.search(rf"^{slug} +(.*)$", output, re.MULTILINE)
        assert line, output
        told = [int(cell.replace(",", "")) for cell in line[1].split()[:4]]
        labels = [counted[slug, label] for label in ("negative", "neutral", "positive")]
        assert told == [sum(labels), *labels]
    # The crises of docs/detector.md, which holds only while each airline's tweets come in the order of the file.
    begun_and_opened = re.findall(r"^(\S+) +(2015-\S+ \S+) +(2015-\S+ \S+) +\d", output, re.MULTILINE)
    assert sorted(begun_and_opened) == [
        ("delta", "2015-02-19 15:20:00", "2015-02-19 15:49:00"),
        ("southwest", "2015-02-21 13:25:00", "2015-02-21 16:02:00"),
    ], output
