"""The command line of replay: what it checks before it sends, what it prints, how it ends."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bellwether_cli.__main__ import app

ROWS = """id,created_at,airline,sentiment,confidence,reason,user,retweets,text
1,2015-02-17T07:36:00Z,Acme Air,neutral,1.0,,ann,0,hello
2,2015-02-17T07:37:00Z,Acme Air,negative,1.0,Late,bob,0,late
"""


@pytest.fixture
def tweets(tmp_path: Path) -> Path:
    path = tmp_path / "tweets.csv"
    path.write_text(ROWS)
    return path


def test_a_dry_run_says_what_would_be_sent(tweets: Path) -> None:
    result = CliRunner().invoke(app, ["replay", str(tweets), "--dry-run"])
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "brand     type               events",
        "acme-air  social.mention.v1       2",
        "from 2015-02-17T07:36:00+00:00 to 2015-02-17T07:37:00+00:00",
        "2 valid, 0 rejected",
    ]


def test_a_bad_row_is_named_and_makes_the_command_fail(tweets: Path) -> None:
    tweets.write_text(ROWS.replace("neutral", "puzzled"))
    result = CliRunner().invoke(app, ["replay", str(tweets), "--dry-run"])
    assert result.exit_code == 1
    assert "error: row 1: column 'sentiment': 'puzzled' is none of negative, neutral, positive" in result.stderr
    assert "1 valid, 1 rejected" in result.stdout


def test_what_the_contract_refuses_is_found_without_sending(tweets: Path) -> None:
    result = CliRunner().invoke(app, ["replay", str(tweets), "--dry-run", "--brand", "Not A Slug"])
    assert result.exit_code == 1
    assert "error: row 1 (id 1): data.brand: must be lower-case letters" in result.stderr


def test_columns_that_fit_no_mapping_are_told(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("a,b\n1,2\n")
    result = CliRunner().invoke(app, ["replay", str(path), "--dry-run"])
    assert result.exit_code == 1
    assert "the columns a, b fit no built-in mapping" in result.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "an API key is needed"),
        (["--speed", "2", "--shuffle", "1"], "--speed needs the order of time"),
        (["--rebase-to", "someday", "--dry-run"], "--rebase-to"),
    ],
)
def test_wrong_options_are_a_usage_error(tweets: Path, options: list[str], words: str) -> None:
    result = CliRunner().invoke(app, ["replay", str(tweets), *options], env={"BELLWETHER_KEY": None})
    assert result.exit_code == 2
    assert words in result.stderr


def test_the_environment_stands_in_for_options(tweets: Path) -> None:
    environment = {"BELLWETHER_KEY": "bw_x", "BELLWETHER_INGEST_URL": "http://127.0.0.1:9"}
    result = CliRunner().invoke(app, ["replay", str(tweets), "--patience", "0.2"], env=environment)
    assert result.exit_code == 1
    assert "http://127.0.0.1:9 did not take the events" in result.stderr
