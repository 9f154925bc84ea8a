"""Bad input and usage: exit 2, nothing on stdout, one line on stderr, in bounded time."""

from __future__ import annotations

import gzip

import pytest

from hedgetheory.errors import NotCertified

VALUE = ("value", "--law", "uniform", "--quantity", "kl", "--policy")
GOLD = ("value", "--law", "uniform", "--quantity", "gold", "--policy", "bon(2)", "--gold")
CHECK = ("check", "--law", "uniform", "--family", "bon", "--gold")

BAD = {
    "n=0": ((*VALUE, "bon(0)"), "n=0, but must be a real number >= 1"),
    "mu<0": ((*VALUE, "bop(-1)"), "mu=-1, but must be a real number >= 0"),
    "lam=inf": ((*VALUE, "quantile_tilt(inf)"), "lam"),
    "lam=nan": ((*VALUE, "tilt(nan)"), "lam"),
    "lam=1e99999": ((*VALUE, "tilt(1e99999)"), "1e99999"),
    "policy does not exist on the law": (
        ("value", "--law", "exponential", "--quantity", "kl", "--policy", "tilt(1)"),
        "infinite from lam = 1 on",
    ),
    "unknown policy": ((*VALUE, "bin(3)"), "did you mean bon?"),
    "unknown law": (
        ("value", "--law", "nrmal", "--quantity", "kl", "--policy", "bon(3)"),
        "did you mean normal?",
    ),
    "unknown quantity": (
        ("value", "--law", "uniform", "--policy", "bon(3)", "--quantity", "kll"),
        "did you mean kl?",
    ),
    "unknown name": ((*GOLD, "u + foo"), "foo"),
    "__import__": ((*GOLD, "__import__('os').getcwd()"), "_"),
    "attribute": ((*GOLD, "u.__class__"), "."),
    "huge power": ((*GOLD, "u**10**9"), "at most"),
    "nested powers": ((*GOLD, "9**9**9**9"), "at most"),
    "brackets": ((*GOLD, "(" * 10**5 + "u" + ")" * 10**5), "at most"),
    "brackets in a policy": ((*VALUE, "(" * 10**5), "at most"),
    "control characters": ((*VALUE, "bon(\n\x1b[31m2)"), "\\x1b"),
    "surplus argument": ((*GOLD, "u", "--at", "1"), "takes no at"),
    "missing argument": (
        ("value", "--law", "uniform", "--policy", "bon(3)", "--quantity", "renyi"),
        "needs order",
    ),
    "missing gold": ((*GOLD[:-1],), "needs gold"),
    "unknown parameter": (
        ("value", "--law", "uniform", "--policy", "bon(3)", "--quantity", "score", "--at", "0.5",
         "--wrt", "mu"),
        "parameters of bon(n=3) are: n",
    ),
    "order 0": (
        ("value", "--law", "uniform", "--policy", "bon(3)", "--quantity", "renyi", "--order", "0"),
        "order=0",
    ),
    "digits abc": ((*VALUE, "bon(2)", "--digits", "abc"), "--digits"),
    "digits 0": ((*VALUE, "bon(2)", "--digits", "0"), "--digits"),
    "digits 10001": ((*VALUE, "bon(2)", "--digits", "10001"), "--digits"),
    "digits long": ((*VALUE, "bon(2)", "--digits", "9" * 5000), "--digits"),
    "missing options": (("value", "--law", "uniform"), "missing --policy, --quantity"),
    "unknown option": ((*VALUE, "bon(2)", "--digts", "3"), "--digits"),
    "unknown command": (("vaule",), "did you mean value?"),
    "option without value": (("value", "--law"), "--law"),
    "batch with more": (("value", "--batch", "x", "--law", "uniform"), "--batch takes no --law"),
    "batch missing": (("value", "--batch", "/nonexistent/file"), "No such file"),
    "family with no parameter free": (
        ("check", "--law", "uniform", "--gold", "u", "--family", "bon(3)"),
        "write bon",
    ),
    "gold in u and r": ((*CHECK, "u + r"), "u or r"),
    "no gold": (CHECK[:-1], "missing --gold"),
    "joint": (("check", "--law", "uniform", "--family", "bon", "--joint", "noisy_proxy(1)"),
              "a law is a name with its arguments"),
    "joint and gold": ((*CHECK, "u", "--joint", "noisy_proxy(1)"), "exclude"),
    "gap without at": (("gap", "--law", "uniform"), "one of --at MU, --policy POLICY and --sup"),
    "gap of mu<0": (("gap", "--law", "uniform", "--at", "-1"), "mu=-1"),
    "gap with both": (("gap", "--law", "uniform", "--at", "1", "--sup"), "one of --at"),
    "no closed form": (
        ("derive", "--law", "normal", "--family", "bon", "--quantity", "mean_reward"),
        "no closed form",
    ),
    "derive of nothing": (
        ("derive", "--law", "normal", "--family", "bon", "--quantity", "klx"),
        "did you mean kl?",
    ),
    "unknown claim": (("verify", "--only", "no such claim"), "no claim matches"),
    "unknown list": (("list", "lawz"), "did you mean laws?"),
    "list of nothing": (("list",), "argument"),
    "two tables": (("tune", "a", "b"), "unexpected"),
    "unknown family of tune": (("tune", "ridge_overfit", "--family", "bom"), "must be bon, bop"),
    "confidence 1": (("tune", "ridge_overfit", "--confidence", "1"), "confidence"),
    "negative seed": (("tune", "ridge_overfit", "--seed", "-1"), "seed"),
    "no table": (("tune", "no_such_table"), "no such file"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_one_line(cli, name):
    argv, says = BAD[name]
    done = cli(*argv)
    assert done.is_refusal(), done
    assert says in done.err
    assert len(done.err) < 1200


@pytest.mark.parametrize("name", BAD)
def test_bad_input_leaves_no_file(cli, tmp_path, name):
    argv, _ = BAD[name]
    done = cli(*argv, "--json", "-o", str(tmp_path / "out.json"))
    assert done.is_refusal(), done
    assert list(tmp_path.iterdir()) == []


HEADER = "prompt_id,response_id,proxy,true\n"
GOOD = HEADER + "a,1,0.5,1\na,2,0.25,0\nb,1,1,1\nb,2,2,0\n"
TABLES = {
    "NaN": (HEADER + "a,1,0.5,1\na,2,nan,0\n", ("row 2", "proxy")),
    "infinite": (HEADER + "a,1,0.5,inf\na,2,1,0\n", ("row 1", "true")),
    "minus infinite": (HEADER + "a,1,0.5,1\na,2,-inf,0\n", ("row 2", "proxy")),
    "no rows": (HEADER, ("row",)),
    "nothing": ("", ()),
    "one response a prompt": (HEADER + "a,1,0.5,1\nb,1,0.25,0\n", ("response",)),
    "constant proxy": (
        HEADER + "a,1,1,1\na,2,1,0\nb,1,1,1\nb,2,1,0\n",
        ("constant within every prompt",),
    ),
    "missing column": ("prompt_id,response_id,proxy\na,1,0.5\na,2,1\n", ("true",)),
    "duplicate ids": (HEADER + "a,1,0.5,1\na,1,0.25,0\n", ("1",)),
    "ragged": (HEADER + "a,1,0.5,1\na,2\n", ()),
    "text": (HEADER + "a,1,0.5,1\na,2,good,0\n", ("row 2", "good")),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_bad_table_is_refused_in_one_line(cli, tmp_path, name):
    content, says = TABLES[name]
    table = tmp_path / "table.csv"
    table.write_text(content)
    done = cli("tune", str(table), "--json", "-o", str(tmp_path / "out.json"))
    assert done.is_refusal(), done
    assert all(word in done.err for word in says), done.err
    assert list(tmp_path.iterdir()) == [table]


def test_a_truncated_gzip_is_refused_in_one_line(cli, tmp_path):
    table = tmp_path / "table.csv.gz"
    table.write_bytes(gzip.compress(GOOD.encode() * 50)[:-20])
    assert cli("tune", str(table)).is_refusal()


def test_invalid_rows_are_dropped_and_counted_on_request(cli, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text(GOOD + "b,3,nan,1\n")
    done = cli("tune", str(table), "--drop-invalid", "--json")
    assert done.code == 0
    assert done.document["dropped"] == 1


@pytest.mark.parametrize("command", ["gap", "check", "value"])
def test_digits_that_cannot_be_reached_are_exit_3(cli, monkeypatch, command):
    def fails(*_args, **_kwargs):
        raise NotCertified("12 digits were not reached")

    monkeypatch.setattr("hedgetheory.functionals.gap.gap_of", fails)
    monkeypatch.setattr("hedgetheory.analysis.check.check", fails)
    monkeypatch.setattr("hedgetheory.functionals.quantities.value", fails)
    argv = {
        "gap": ("gap", "--law", "uniform", "--at", "1"),
        "check": (*CHECK, "u"),
        "value": (*VALUE, "bon(2)"),
    }[command]
    done = cli(*argv)
    assert done.is_refusal(3)
    assert "12 digits were not reached" in done.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyError("x"), 70),
        (MemoryError(), 3),
        (RecursionError("deep"), 3),
        (KeyboardInterrupt(), 130),
        (OSError(28, "No space left on device"), 2),
    ],
)
def test_no_error_of_any_kind_is_a_traceback(cli, monkeypatch, error, code):
    def fails(*_args):
        raise error

    monkeypatch.setattr("hedgetheory.functionals.gap.gap_of", fails)
    assert cli("gap", "--law", "uniform", "--at", "1").is_refusal(code)
    debugged = cli("gap", "--law", "uniform", "--at", "1", "--debug")
    assert debugged.code == code
    assert "Traceback" in debugged.err


def test_an_unusable_output_is_refused_before_any_work(cli, tmp_path, monkeypatch):
    def fails(*_args):
        raise AssertionError("worked before the output was checked")

    monkeypatch.setattr("hedgetheory.functionals.gap.gap_of", fails)
    for target in (tmp_path / "no" / "file", tmp_path):
        assert cli("gap", "--law", "uniform", "--at", "1", "-o", str(target)).is_refusal()
