#!/usr/bin/env python3
"""What a person does on the page, in a real browser.

    test_page.py SZILARD MODEL FOLDER

Serves MODEL, and keeps a screenshot of each page in FOLDER. Exit status 77 without a browser.
"""

import pathlib
import re
import subprocess
import sys

from browser import Browser, find_browser

BUSY = 'document.querySelector(".busy")'


def serve(szilard, model):
    server = subprocess.Popen([szilard, "serve", "-m", model, "--port", "0"], stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        found = re.search(r"http://[\d.]+:\d+", line)
        if found:
            return server, found[0]
    raise SystemExit("the server has not begun")


def chat(b, folder):
    b.wait('document.querySelector("#model").textContent.includes("smollm2")', "the model's name")
    b.value('document.querySelector("[aria-label=\\"Most tokens\\"]").value = 24')
    b.value('document.querySelector("[aria-label^=Seed]").value = 5')
    b.type("#question", "Name a colour.")
    b.press("Enter")
    b.wait(f'document.querySelectorAll(".token").length > 3 && !{BUSY}', "an answer")
    n = b.value('document.querySelectorAll(".token").length')
    text = b.value('document.querySelector(".tokens").textContent')
    assert n <= 24 and text.strip(), text
    assert "mean entropy" in b.value('document.querySelector(".account").textContent')
    assert b.value('document.querySelectorAll(".timeline .bar").length') == n
    assert b.value('[...document.querySelectorAll(".token")].some(t => +t.style.getPropertyValue("--h") > 0)')
    b.screenshot(folder / "chat.png")
    return text


def look_into(b, folder):
    b.click(".token")
    b.wait('document.querySelectorAll("#card .alternatives li").length === 10', "ten alternatives")
    figures = b.value('document.querySelector("#card .figures").textContent')
    assert "entropy" in figures and "kept by the samplers" in figures, figures
    b.press("ArrowRight")
    b.press("ArrowRight")
    assert b.value('[...document.querySelectorAll(".token")].indexOf(document.activeElement)') == 2
    assert b.value('document.querySelectorAll(".timeline .here").length') == 1
    # a narrow top-k drops all but one of the alternatives in the preview
    b.value("""(() => { const k = document.querySelector("[aria-label=Top-k]"); k.value = 1;
               k.dispatchEvent(new Event("input", {bubbles: true})); })()""")
    assert b.value('document.querySelectorAll("#card .alternatives .out").length') == 9
    assert "nothing but the likeliest" in b.value('document.querySelector("#chat-settings .hint").textContent')
    b.screenshot(folder / "card.png")


def fork(b, folder, text):
    before = b.value('[...document.querySelectorAll(".token")].slice(0, 2).map(t => t.textContent).join("")')
    b.click("#card .alternatives li:nth-child(2) button:not(:disabled), #card .alternatives li:nth-child(1) button:not(:disabled)")
    b.wait(f'document.querySelector(".branches") && !{BUSY}', "a second branch")
    after = b.value('document.querySelector(".tokens").textContent')
    assert after.startswith(before) and after != text, (before, after)
    assert b.value('document.querySelectorAll(".token.forked").length') == 1
    b.screenshot(folder / "fork.png")
    b.click(".branches button:first-child")
    assert b.value('document.querySelector(".tokens").textContent') == text


def converse(b):
    """A second turn knows the first; Stop ends an answer, and the next one still comes."""
    b.value('document.querySelector("[aria-label=\\"Most tokens\\"]").value = 2000')
    b.value('document.querySelector("[aria-label=\\"A chain of samplers\\"]").value = "temperature 3"')  # no end in sight
    b.type("#question", "Tell me about tea.")
    b.click("#send")
    b.wait('document.querySelectorAll(".tokens")[1]?.children.length > 2', "the second answer")
    b.click("#stop")
    b.wait(f"!{BUSY}", "the end of the stopped answer")
    assert "stopped after" in b.value('document.querySelectorAll(".account")[1].textContent')
    b.value('document.querySelector("[aria-label=\\"A chain of samplers\\"]").value = ""')
    b.click("#clear")
    assert b.value('document.querySelectorAll(".token").length') == 0


def hostile(b):
    """Markup in a question and in a text stays text."""
    markup = '<img src=x onerror="window.harmed=1"><script>window.harmed=1</script>'
    b.value('document.querySelector("[aria-label=\\"Most tokens\\"]").value = 4')
    b.type("#question", f"Repeat: {markup}")
    b.press("Enter")
    b.wait(f'document.querySelectorAll(".token").length > 0 && !{BUSY}', "an answer to markup")
    assert b.value('document.querySelector(".said").textContent').endswith(markup)
    b.value('location.hash = "#cost"')
    b.type("#cost-text", markup)
    b.click("#cost-form .primary")
    b.wait('document.querySelector("#cost .tokens")', "the cost of markup")
    assert b.value('document.querySelector("#cost .tokens").textContent') == markup
    assert b.value('document.querySelectorAll("main img, main script").length') == 0
    assert b.value("window.harmed === undefined")


def cost(b, folder):
    b.value('document.querySelector("#cost-text").value = ""')
    b.type("#cost-text", "The cat sat on the mat. The cat sat on the mat. Über 👩‍👩‍👧 ends it.")
    b.click("#cost-form .primary")
    b.wait('document.querySelector("#cost p[role=status]")?.textContent.includes("bits per byte")', "the cost")
    b.click("#cost .token:nth-child(4)")
    b.wait('document.querySelector("#cost .alternatives")', "alternatives of a token")
    b.screenshot(folder / "cost.png")


def compare(b, folder):
    b.value('location.hash = "#compare"')
    b.value('document.querySelectorAll("#view-compare [aria-label=\\"Most tokens\\"]").forEach(e => e.value = 12)')
    b.type("#compare-question", "Tell me about tea.")
    b.click("#compare-ask .primary")
    b.wait('document.querySelectorAll("#view-compare .account").length === 2 && '
           '[...document.querySelectorAll("#view-compare .account")].every(a => a.textContent.includes("tokens"))', "two answers")
    b.screenshot(folder / "compare.png")


def state(b, folder):
    b.value('location.hash = "#server"')
    b.wait('document.querySelectorAll(".tile").length > 8 && document.querySelector("#server table")', "the server's state")
    b.screenshot(folder / "server.png")


def looks(b, folder):
    b.value('location.hash = "#chat"')
    b.click("#theme")
    b.click("#theme")
    assert b.value("document.documentElement.dataset.theme") == "dark"
    b.size(400, 800)
    b.wait("document.documentElement.scrollWidth <= 400", "a page as narrow as the screen", 5)
    b.screenshot(folder / "narrow-dark.png")


def accessible(b):
    """Every control has a name."""
    nameless = b.value("""[...document.querySelectorAll("button, input, textarea, a")].filter(e =>
        !(e.textContent.trim() || e.getAttribute("aria-label") || e.labels?.length)).map(e => e.outerHTML)""")
    assert nameless == [], nameless


def main():
    szilard, model, folder = sys.argv[1:]
    if not find_browser():
        print("no Chromium: skipped")
        sys.exit(77)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    server, url = serve(szilard, model)
    b = Browser()
    try:
        b.open(url)
        text = chat(b, folder)
        look_into(b, folder)
        fork(b, folder, text)
        converse(b)
        hostile(b)
        cost(b, folder)
        compare(b, folder)
        state(b, folder)
        accessible(b)
        looks(b, folder)
        assert b.problems == [], b.problems
    except AssertionError:
        b.screenshot(folder / "failed.png")
        raise
    finally:
        b.close()
        server.terminate()
        assert server.wait(30) == 0
    print(f"the page did what was asked; screenshots in {folder}")


main()
