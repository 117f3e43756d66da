"""Runs the examples of docs/languages.md, in each language, and of the README."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import URL
from fastapi.testclient import TestClient

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "languages.md").read_text()
README = (Path(__file__).parents[1] / "README.md").read_text()
GO_CACHE = ROOT / "clients" / ".go-cache"


def examples(document, language, heading):
    """The examples in a language below a heading, up to the next."""
    [section] = [part for part in re.split(r"\n(?=#+ \w)", document) if re.match(rf"#+ {heading}\n", part)]
    blocks = re.findall(rf"```{language}\n(.*?)```", section, flags=re.DOTALL)
    assert blocks
    return [block.replace("http://localhost:8080", URL) for block in blocks]


def run(*command, **environment):
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("document", "heading"), [(DOCUMENT, "Python"), (README, "zael for Python")])
def test_the_python_examples_decide_and_administer(document, heading):
    decide, *others = examples(document, "python", heading)
    assert run(sys.executable, "-W", "error", "-c", decide) == ""
    for other in others:
        assert "key-bob" in run(sys.executable, "-W", "error", "-c", other)


def test_the_python_example_reports_denials():
    [decide, _] = examples(DOCUMENT, "python", "Python")
    output = run(sys.executable, "-c", decide.replace('"tokens": 20}', '"tokens": 9999}').replace("1200", "9999"))
    # beside the key's limit its project's, if other tests have used enough of that
    assert re.fullmatch(r"again in None seconds\nagain in None seconds \['tpm'(, 'tpm')?\]\n", output)


def test_the_fastapi_example_limits_users():
    [example] = examples(DOCUMENT, "python", "FastAPI")
    names = {}
    exec(compile(example, "fastapi-example", "exec"), names)
    with TestClient(names["app"]) as app:
        assert app.get("/report", headers={"X-User-Id": "ada"}).status_code == 200
        assert app.get("/report", headers={"X-User-Id": ""}).status_code == 422
        for _ in range(40):
            response = app.get("/report", headers={"X-User-Id": "ada"})
        assert response.status_code == 429
        assert int(response.headers["retry-after"]) >= 1


def test_the_go_example_reserves_and_settles(tmp_path):
    [example] = examples(DOCUMENT, "go", "Go")
    source = tmp_path / "main.go"
    program = tmp_path / "example"

    def output(text):
        source.write_text(text)
        run("go", "build", "-o", program, source, GOCACHE=str(GO_CACHE), GOTOOLCHAIN="local", GOWORK="off")
        return run(program)

    assert output(example.replace('"key-alice"', '"key-charlie"')) == "settled: true <nil>\n"
    assert output(example.replace("1200", "9999")).startswith("can never pass: ")
    assert output(example.replace(URL, "http://127.0.0.1:1")).startswith("no decision: ")
    assert run("gofmt", "-l", source) == ""


def test_the_shell_examples_decide():
    decide, script = examples(DOCUMENT, "sh", "curl")
    decide, script = (text.replace("key-alice", "key-charlie") for text in (decide, script))
    assert '{"allowed":true' in run("bash", "-c", decide)
    assert run("bash", "-c", script) == "may pass\n"
    assert run("bash", "-c", script.replace('"requests": 1', '"tokens": 9999')) == "denied; again in  seconds\n"
    assert run("bash", "-c", script.replace("key-charlie", "nobody")) == "no decision: 401 \n"
