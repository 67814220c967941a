"""What the tests of the report do with the page in the browser, and read from it."""

import json

CHOOSE = """((id, value, event) => {
    const node = document.getElementById(id);
    node.value = value;
    node.dispatchEvent(new Event(event, {bubbles: true}));
    return node.value;
})"""


TEXTS = """[...document.querySelectorAll('#instructions .text')].map((p) => {
    const copy = p.cloneNode(true);
    copy.querySelectorAll('.tag').forEach((tag) => tag.remove());
    return copy.textContent;
})"""
"""The texts of the instructions on the page, without the labels in them."""

HOSTILE = "<script>window.ran=1</script></script><img src=x onerror=window.ran=1>"
LABEL = "<b onclick=window.ran=1>ship</b> &amp; " + "quay" * 2_500
"""Text and label that would run or break a page that takes them for markup."""


def choose(page, id_: str, value: str, event: str = "change") -> None:
    assert page.run(f"{CHOOSE}({json.dumps(id_)}, {json.dumps(value)}, {json.dumps(event)})") == value


def drawn(page) -> dict[str, int]:
    """Section → number of data marks in it, as counted by the page."""
    sections = "[...document.querySelectorAll('section:not([hidden]) > .plot')]"
    script = f"Object.fromEntries({sections}.map((p) => [p.parentElement.id, +p.dataset.drawn]))"
    return page.run(script)


def marks(page, section: str, kind: str) -> int:
    return page.run(f"document.querySelectorAll('#{section} [data-mark={kind}]').length")


def articles(page, section: str = "instructions") -> list[str]:
    return page.run(f"[...document.querySelectorAll('#{section} article')].map((a) => a.dataset.id)")
