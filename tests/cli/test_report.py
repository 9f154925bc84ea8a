"""``report``: one page that stands alone, says what was found, and runs nothing but its own."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import sys
from fractions import Fraction
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

import hedgetheory
from hedgetheory.cli.pages import sampled as sampling
from hedgetheory.cli.pages.plot import SHIFTED, Plot, Scale, padded, spread
from hedgetheory.cli.pages.style import COLOURS
from hedgetheory.cli.tune import WHAT_VALUES_ARE, command

CHECK = ("report", "--law", "uniform", "--family", "bon", "--gold", "u**12*(1 - u)")
TUNE = ("report", "ridge_overfit", "--resamples", "40")
EVIL = '"><img src=x onerror=alert(1)><script>alert(1)</script>'
SLY = 'proxy&<i>" onfocus="alert(1)" x=\''
_VOID = {"meta", "input", "br", "link", "img"}


class Tree(HTMLParser):
    """Every element with its attributes; complains of tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), f"an attribute twice in {tag}"
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open:
            self.texts[self._open[-1]] = self.texts.get(self._open[-1], "") + data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def made(cli, folder: Path, *argv: str, name: str = "page.html"):
    target = folder / name
    done = cli(*argv, "--html", str(target))
    return done, target.read_text(encoding="utf-8")


@pytest.fixture
def evil_table(tmp_path):
    """Columns, prompts and groups that would be markup if they were not escaped."""
    path = tmp_path / "a<b>&table.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([EVIL, SLY, "'gold'", "group"])
        for prompt in range(12):
            for k in range(6):
                score = (prompt * 7 + k * 5) % 11
                name = f"{EVIL}{prompt}"
                rows.writerow([name, score, score * (8 - score) + k % 2, f"{EVIL}{prompt % 2}"])
    return path


@pytest.mark.parametrize("argv", [TUNE, CHECK])
def test_the_document_names_the_page_and_carries_the_numbers(cli, tmp_path, argv):
    done, page = made(cli, tmp_path, *argv, "--json")
    assert done.code == 0
    assert done.err == ""
    document = done.document
    assert document["schema"] == "hedgetheory/report/1"
    assert document["version"] == hedgetheory.__version__
    assert document["command"] == "report"
    assert document["html"] == str(tmp_path / "page.html")
    assert document["bytes"] == len(page.encode())
    assert document["sha256"] == hashlib.sha256(page.encode()).hexdigest()
    # The same numbers as the command itself gives.
    alone = cli(document["kind"], *argv[1:], "--json").document
    common = {"schema", "version", "command"}
    assert document["result"] == {k: v for k, v in alone.items() if k not in common}
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize("argv", [TUNE, CHECK])
def test_the_same_input_gives_the_same_bytes_in_any_folder(cli, tmp_path, argv):
    pages = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        pages.append(made(cli, tmp_path / name, *argv)[1])
    assert pages[0] == pages[1]
    assert str(tmp_path) not in pages[0]
    dated = made(cli, tmp_path, *argv, "--date", "2026-01-31")[1]
    assert "2026-01-31" in dated
    assert "2026-01-31" not in pages[0]


def test_the_command_on_the_page_makes_the_page(cli, tmp_path, monkeypatch):
    import shlex

    done, page = made(cli, tmp_path, *TUNE, "--confidence", "0.9", "--json")
    words = shlex.split(done.document["reproduce"])
    assert words[:2] == ["hedgetheory", "report"]
    (tmp_path / "again").mkdir()
    monkeypatch.chdir(tmp_path / "again")
    assert cli(*words[1:]).code == 0
    assert (tmp_path / "again" / "page.html").read_text(encoding="utf-8") == page


@pytest.mark.parametrize("argv", [TUNE, CHECK])
def test_the_policy_lets_nothing_run_but_what_the_page_brought(cli, tmp_path, argv):
    page = made(cli, tmp_path, *argv)[1]
    tree = Tree(page)
    policy = next(m["content"] for m in tree.all("meta") if m.get("http-equiv"))
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
        assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)|innerHTML|eval", content)
    for name, attributes in tree.elements:
        assert name not in ("img", "iframe", "object", "embed", "link", "form", "base")
        assert not any(key.startswith("on") or key == "style" for key in attributes)
        assert attributes.get("href", "#").startswith("#")
        assert "src" not in attributes


def test_text_from_a_table_is_text_on_the_page(cli, tmp_path, evil_table):
    argv = ("report", str(evil_table), "--prompt", EVIL, "--proxy", SLY, "--gold", "'gold'")
    done, page = made(cli, tmp_path, *argv, "--group", "group", "--resamples", "20", "--json")
    assert done.code == 0, done.err
    tree = Tree(page)
    assert len(tree.all("script")) == len(tree.all("style")) == 1
    assert tree.all("img") == tree.all("i") == tree.all("b") == []
    assert not any("onfocus" in attributes for _, attributes in tree.elements)
    assert any(SLY in a.get("aria-label", "") for a in tree.all("div"))
    assert "&lt;script&gt;alert(1)" in page
    assert f"{EVIL}0" in tree.texts["th"]
    assert evil_table.name in tree.texts["h1"]


def test_text_that_hides_or_reorders_is_spelled_out(cli, tmp_path):
    table = tmp_path / "t.csv"
    name = "prox\u202ey\u200b"
    rows = [f"{p},{k},{k * (3 - k)}" for p in range(12) for k in range(4)]
    table.write_text("\n".join([f"prompt_id,{name},true", *rows]), encoding="utf-8")
    page = made(cli, tmp_path, "report", str(table), "--proxy", name, "--resamples", "10")[1]
    assert "prox\\u202ey\\u200b" in page
    assert not set(page) & {"\u202e", "\u200b"}


@pytest.mark.parametrize(
    "argv",
    [
        TUNE,
        CHECK,
        ("report", "ridge_overfit", "--family", "tilt", "--resamples", "0"),
        ("report", "ridge_overfit", "--proxy", "proxy,true", "--resamples", "20"),
        ("report", "--law", "normal", "--family", "tilt", "--gold", "r - r**2/4"),
    ],
    ids=["tune", "check", "no resamples", "two proxies", "tilt"],
)
def test_the_page_is_built_as_pages_should_be(cli, tmp_path, argv):
    page = made(cli, tmp_path, *argv)[1]
    tree = Tree(page)
    (html,) = tree.all("html")
    assert html["lang"] == "en"
    assert [len(tree.all(tag)) for tag in ("header", "main", "footer", "h1", "title")][:4] == [
        1
    ] * 4
    ids = [a["id"] for _, a in tree.elements if "id" in a]
    assert len(ids) == len(set(ids))
    for _, attributes in tree.elements:
        for key in ("for", "aria-labelledby", "data-cursors", "data-rows", "data-copies"):
            assert set(attributes.get(key, "").split()) <= set(ids)
        assert attributes.get("href", "#")[1:] in {*ids, ""}
    levels = [int(name[1]) for name, _ in tree.elements if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for svg in tree.all("svg"):
        assert svg["role"] == "img"
        assert len(svg["aria-labelledby"].split()) == 2
    assert len(tree.all("table")) == len(tree.all("caption"))
    assert all("scope" in th for th in tree.all("th"))
    assert "nan" not in re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL).split()


def test_every_point_of_the_curve_is_on_the_page_without_a_script(cli, tmp_path):
    done, page = made(cli, tmp_path, *TUNE, "--json")
    curve = done.document["result"]["curve"]
    rows = re.findall(r"<tr[^>]*data-k=.*?</tr>", page)
    assert len(rows) == len(curve) == 64
    for row, point in zip(rows, curve, strict=True):
        assert f'data-v="{float(point["theta"])}"' in row
        assert f'data-v="{point["value"]!r}"' in row


def test_the_interval_at_a_point_is_normal(cli, tmp_path):
    done, page = made(cli, tmp_path, *TUNE, "--json")
    first = done.document["result"]["curve"][0]
    reach = 1.959963984540054 * first["se"]  # the 97.5 % point of the normal law: R 4.3, qnorm
    said = f"{first['value'] - reach:.5g} to {first['value'] + reach:.5g}"
    assert f"95 % interval {said}" in page


def test_the_points_of_a_check_are_the_values_of_its_formula(cli, tmp_path):
    document = made(cli, tmp_path, *CHECK, "--json")[0].document
    assert len(document["curve"]) > 20
    for point in document["curve"]:
        n = Fraction(point["theta"]["rational"])
        # E[U^12 (1 - U)] under the largest of n uniforms: n/(n+12) - n/(n+13)
        assert Fraction(point["value"]["rational"]) == n / (n + 12) - n / (n + 13)


def test_a_check_that_is_undecided_is_a_page_and_exit_3(cli, tmp_path):
    done, page = made(cli, tmp_path, "report", "--law", "normal", "--family", "bop",
                      "--gold", "exp(-(r - 1)**2)", "--bound", "1")  # fmt: skip
    assert done.code == 3
    assert "It is not decided." in page
    assert "This list may not be complete" in page


def test_a_curve_that_costs_too_much_is_cut_and_the_page_says_so(cli, tmp_path, monkeypatch):
    monkeypatch.setattr(sampling, "BOUND", 2000)
    done, page = made(cli, tmp_path, "report", "--law", "normal", "--family", "bop",
                      "--gold", "exp(-(r - 1)**2)", "--bound", "1", "--json")  # fmt: skip
    assert 0 < len(done.document["curve"]) < sampling.POINTS
    assert "not in the picture" in page
    assert "units of work" in page


def test_what_the_constraints_forbid_is_called_a_gain_and_not_a_cost(cli, tmp_path):
    table = tmp_path / "t.csv"
    rows = [f"{p},{k},{k + (p * k) % 3}" for p in range(12) for k in range(6)]
    table.write_text("\n".join(["prompt_id,proxy,true", *rows]))
    done, page = made(cli, tmp_path, "report", str(table), "--draw-budget", "3", "--resamples",
                      "50", "--json")  # fmt: skip
    result = done.document["result"]
    assert result["theta"] == 3
    assert result["regret"] < 0
    gain, (low, high) = -result["regret"], sorted(-x for x in result["regret_interval"])
    said = f"would gain {gain:.3g} of gold score (95 % interval {low:.3g} to {high:.3g})"
    assert f"{said}, but is beyond the constraints." in page
    assert "n = 3: gold score" in page
    assert "; the best within the constraints." in page
    assert "above the best within the constraints." in page


def test_one_prompt_has_no_interval_and_the_page_says_why(cli, tmp_path):
    table = tmp_path / "t.csv"
    rows = [f"0,{k},{k * (5 - k)}" for k in range(8)]
    table.write_text("\n".join(["prompt_id,proxy,true", *rows]))
    page = made(cli, tmp_path, "report", str(table))[1]
    assert "1 prompt, 8 responses" in page
    assert "for want of resamples or of prompts" in page
    assert "The interval at one n" not in page
    assert "bootstrap resamples" not in page


def test_a_table_on_standard_input_is_named_and_hashed(cli, tmp_path, monkeypatch):
    rows = [f"{p},{k},{k * (3 - k)}" for p in range(12) for k in range(4)]
    data = "\n".join(["prompt_id,proxy,true", *rows]).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    done, page = made(cli, tmp_path, "report", "-", "--resamples", "10", "--json")
    assert "on standard input</h1>" in page
    assert "It reads the table from its standard input." in page
    (source,) = done.document["inputs"]
    assert source == {
        "file": "standard input",
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def test_an_ensemble_of_proxies_is_one_answer_that_says_what_it_is(cli, tmp_path):
    argv = ("report", "ridge_overfit", "--proxy", "proxy,true", "--ensemble", "mean", "--shape",
            "tanh(r)", "--resamples", "10")  # fmt: skip
    done, page = made(cli, tmp_path, *argv, "--json")
    assert done.code == 0, done.err
    assert done.document["result"]["ensemble"]["how"] == "mean"
    assert "the mean of <code>proxy,true</code>, shaped by <code>tanh(r)</code>" in page
    assert "--ensemble mean" in done.document["reproduce"]


def test_a_law_from_a_file_is_hashed(cli, tmp_path):
    law = tmp_path / "rewards.txt"
    law.write_text("0\n1\n2\n5\n")
    done = made(cli, tmp_path, "report", "--law", f"@{law}", "--family", "bon", "--gold", "r",
                "--json")[0]  # fmt: skip
    assert done.code == 0, done.err
    assert done.document["inputs"][0]["sha256"] == hashlib.sha256(law.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("report",), "--html"),
        (("report", "--html", "x.html"), "one of them"),
        ((*TUNE, "--law", "uniform", "--html", "x.html"), "one of them"),
        ((*TUNE, "--html", "x.pdf"), ".html"),
        ((*TUNE, "--html", "/nowhere/x.html"), "no folder"),
        ((*TUNE, "--html", "x.html", "--date", "today"), "--date today"),
        ((*TUNE, "--html", "x.html", "--joint", "contaminated(eps=1/100, h=0)"), "--joint"),
        ((*TUNE, "--html", "x.html", "--digits", "9"), "--digits goes with --law"),
        ((*CHECK, "--html", "x.html", "--seed", "1"), "--seed goes with a table"),
        ((*CHECK[:3], "--gold", "u", "--html", "x.html"), "--family"),
        ((*CHECK[:5], "--html", "x.html"), "--gold"),
        (("report", "ridge_overfit", "--family", "bun", "--html", "x.html"), "bun"),
        (("report", "ridge_overfi", "--html", "x.html"), "ridge_overfit"),
        (("report", "ridge_overfit", "--confidence", "2", "--html", "x.html"), "confidence"),
    ],
)
def test_what_cannot_be_reported_is_one_line_and_no_file(cli, tmp_path, monkeypatch, argv, says):
    monkeypatch.chdir(tmp_path)
    done = cli(*argv)
    assert done.is_refusal(), done
    assert says in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_was_there_stays_when_the_table_will_not_do(cli, tmp_path):
    target = tmp_path / "page.html"
    target.write_text("before")
    assert cli("report", "no_such_table", "--html", str(target)).code == 2
    assert target.read_text() == "before"


def test_the_help_of_tune_and_the_page_say_the_same_of_its_values():
    assert WHAT_VALUES_ARE in " ".join((command.help or "").split())


# -- colours and plots -----------------------------------------------------------------------------


def _luminance(colour: str) -> float:
    """Relative luminance: WCAG 2.2, definition."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, two: str) -> float:
    a, b = sorted((_luminance(one), _luminance(two)))
    return (b + 0.05) / (a + 0.05)


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # WebAIM's checker


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["ground", "raised"])
def test_text_has_the_contrast_of_wcag_aa(scheme, ground):
    under = COLOURS[ground][scheme]
    for name in ("text", "soft", "accent", "good", "bad", "open"):
        assert contrast(COLOURS[name][scheme], under) >= 4.5, name
    assert contrast(COLOURS["edge"][scheme], under) >= 3


@pytest.mark.parametrize(
    "scale",
    [Scale(-3, 7), Scale(1, 64, "log"), Scale(1, 1e6, "log"), Scale(0.02, 1, "log"),
     Scale(0, 50, "shifted", 1), Scale(1e-9, 1e9, "log"), Scale(2, 2)],
)  # fmt: skip
def test_ticks_are_few_inside_and_in_order(scale):
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 10
    assert ticks == sorted(set(ticks))
    assert all(-1e-6 <= scale.at(tick) <= 1 + 1e-6 for tick in ticks)


def test_a_scale_keeps_the_order_and_reaches_both_ends():
    for thetas in ([1.0, 2, 64], [0.0, 0.1, 90], [0.1, 0.5, 0.7], [0.0, 0.0, 0.0]):
        scale = spread(thetas)
        places = [scale.at(theta) for theta in thetas]
        assert places == sorted(places)
        if thetas[-1] > thetas[0]:
            assert (places[0], places[-1]) == pytest.approx((0, 1))
    assert spread([0.0, 1.0, 100.0]).unit == 100 / SHIFTED


def test_a_level_curve_has_room():
    flat = padded([2.0, 2.0])
    assert flat.low < 2 < flat.high
    assert padded([0.0]).low < 0 < padded([0.0]).high


def test_a_higher_value_is_drawn_higher():
    plot = Plot("p", "t", "d", Scale(0, 1), Scale(0, 1), "x", "y", [(0, 0), (1, 1)])
    (left, low), (right, high) = plot.place(0, 0), plot.place(1, 1)
    assert left < right
    assert high < low
    assert json.dumps(plot.svg()).count("<svg") == 1
