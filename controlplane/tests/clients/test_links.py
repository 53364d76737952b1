"""Every relative link of the documentation leads somewhere, also to the heading it names."""

import re
import subprocess
import urllib.parse

import pytest

from gateway import REPOSITORY

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def pages():
    names = subprocess.run(["git", "ls-files", "*.md"], cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    return [REPOSITORY / name for name in names.splitlines()]


def anchors(page):
    """Headings as GitHub turns them into anchors."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page):
    dead = []
    for link in LINK.findall(CODE.sub("", page.read_text())):
        path, _, anchor = urllib.parse.unquote(link).partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        to = (page.parent / path).resolve() if path else page
        if not to.exists() or (anchor and to.suffix == ".md" and anchor not in anchors(to)):
            dead.append(link)
    assert not dead


def test_every_page_is_in_the_index():
    index = (REPOSITORY / "docs/README.md").read_text()
    listed = {(REPOSITORY / "docs" / link.partition("#")[0]).resolve() for link in LINK.findall(index)}
    docs = [page for page in pages() if REPOSITORY / "docs" in page.parents and page.name != "README.md"]
    # Decisions are listed by their directory.
    missing = [page for page in docs if not any(to == page or to in page.parents for to in listed)]
    assert not missing
