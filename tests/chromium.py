"""A page in headless Chromium, controlled over its debugging pipe (Chrome DevTools Protocol, JSON ending in NUL)."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)

FLAGS = (
    "--headless",
    "--no-sandbox",  # Chromium has no sandbox for a process of root
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


class Page:
    """One tab. `problems`: the messages of its console and its exceptions. `requests`: the URLs that it requested."""

    def __init__(self, to_browser: int, from_browser: int):
        self.to_browser, self.from_browser = to_browser, from_browser
        self.count, self.session, self.waiting = 0, None, b""
        self.problems: list[str] = []
        self.requests: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params) -> dict:
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def receive(self) -> dict:
        while b"\0" not in self.waiting:
            block = os.read(self.from_browser, 1 << 20)
            if not block:
                raise RuntimeError("Chromium ended")
            self.waiting += block
        line, _, self.waiting = self.waiting.partition(b"\0")
        message = json.loads(line)
        params = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(params["exceptionDetails"]))
        if message.get("method") == "Log.entryAdded":
            self.problems.append(params["entry"]["text"])
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        return message

    def look(self, width: int, height: int, dark: bool = False, media: str = "") -> None:
        """Sets the size of the window in CSS pixels, the preferred colour scheme and the medium, such as print."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def speak(self, languages: str) -> None:
        """Sets the preferred languages, such as "zh-CN,en"."""
        agent = self.run("navigator.userAgent")
        self.send("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=languages)

    def open(self, path: Path, query: str = "") -> None:
        """Loads a file and waits until its scripts have run."""
        self.send("Page.navigate", url=path.resolve().as_uri() + query)
        self.wait()

    def follow(self, selector: str) -> None:
        """Clicks on a link to another page and waits for it."""
        self.run(f"document.querySelector({json.dumps(selector)}).click()")
        self.wait()
        self.run("new Promise((done) => setTimeout(done, 100))")

    def wait(self) -> None:
        """Waits until a page has loaded and its scripts have run."""
        while self.receive().get("method") != "Page.loadEventFired":
            pass

    def without_script(self, path: Path) -> str:
        """The text that a file shows with JavaScript turned off."""
        self.send("Emulation.setScriptExecutionDisabled", value=True)
        self.open(path)
        text = self.run("document.body.innerText")
        self.send("Emulation.setScriptExecutionDisabled", value=False)
        return text

    def run(self, script: str):
        """The value of a JavaScript expression in the page."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description"))
        return answer["result"].get("value")

    def colours(self) -> tuple[list[str], ...]:
        """The colours of every element: printed with the light scheme and the dark one, and with the dark on screen."""
        self.look(800, 600)
        self.run("new Promise((done) => setTimeout(done, 400))")  # pages draw again 150 ms after a change of their size
        looks = []
        for dark, media in ((False, "print"), (True, "print"), (True, "")):
            self.look(800, 600, dark, media)
            script = (
                "[...document.querySelectorAll('*')].map((node) => { const style = getComputedStyle(node); "
                "return [style.colorScheme, style.color, style.backgroundColor, style.fill, style.stroke].join(); })"
            )
            looks.append(self.run(script))
        self.look(800, 600)
        return tuple(looks)

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def chromium_page(profile: Path) -> Iterator[Page]:
    """A page in a new browser with the folder `profile` as its profile."""
    assert CHROMIUM, "install Chromium"
    read_commands, to_browser = os.pipe()
    from_browser, write_answers = os.pipe()

    def use_descriptors_three_and_four():
        """Chromium reads commands from descriptor 3 and writes to 4; the pipe ends may already have these numbers."""
        copies = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (read_commands, write_answers)]
        for number, copy in zip((3, 4), copies, strict=True):
            os.dup2(copy, number)
            os.close(copy)

    browser = subprocess.Popen(
        [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        preexec_fn=use_descriptors_three_and_four,
        close_fds=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(read_commands)
    os.close(write_answers)
    try:
        yield Page(to_browser, from_browser)
    finally:
        os.close(to_browser)  # Chromium exits when this pipe is closed
        os.close(from_browser)
        browser.terminate()
        browser.wait(20)
