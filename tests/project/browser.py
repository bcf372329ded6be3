"""A real browser without a window, spoken to over two pipes in the Chrome DevTools Protocol; no package is needed."""

import base64
import json
import os
import shutil
import subprocess
import sys
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip

# The browser reads commands from the file descriptor 3 and answers on 4. Copied first: the pipes may have these numbers.
LAUNCHER = """
import os, sys
commands, answers = (os.dup(int(number)) for number in sys.argv[1:3])
os.dup2(commands, 3)
os.dup2(answers, 4)
# A copy that is already in its place is not inherited by itself.
os.set_inheritable(3, True)
os.set_inheritable(4, True)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find_browser():
    """The path of Chromium or Chrome, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page of a fresh profile in `folder`.

    `messages` are the errors and warnings of the console, `requests` the addresses asked for, `responses` what came of them.
    """

    def __init__(self, folder):
        self.messages, self.requests, self.responses, self.finished = [], [], {}, set()
        self.last_id, self.session, self.rest = 0, None, b""
        commands, self.to_browser = os.pipe()
        self.from_browser, answers = os.pipe()

        launch = [sys.executable, "-c", LAUNCHER, str(commands), str(answers)]
        self.process = subprocess.Popen(
            [*launch, find_browser(), *OPTIONS, f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(commands, answers),
        )
        os.close(commands)
        os.close(answers)
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session = None
        self.send("Browser.close")
        self.process.wait(timeout=30)
        os.close(self.to_browser)
        os.close(self.from_browser)

    def receive(self):
        while b"\0" not in self.rest:
            chunk = os.read(self.from_browser, 1 << 20)
            if not chunk:
                raise RuntimeError("the browser has ended")
            self.rest += chunk
        message, _, self.rest = self.rest.partition(b"\0")
        message = json.loads(message)
        event, parameters = message.get("method"), message.get("params", {})
        if event == "Log.entryAdded":
            self.messages.append(parameters["entry"]["text"])
        elif event == "Runtime.exceptionThrown" or (event == "Runtime.consoleAPICalled" and parameters["type"] != "log"):
            self.messages.append(json.dumps(parameters))
        elif event == "Page.javascriptDialogOpening":
            self.messages.append(f"dialog: {parameters['message']}")
        elif event == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif event == "Network.responseReceived":
            self.responses[parameters["requestId"]] = parameters["response"]
        elif event == "Network.loadingFinished":
            self.finished.add(parameters["requestId"])
        return message

    def send(self, method, **parameters):
        self.last_id += 1
        command = {"id": self.last_id, "method": method, "params": parameters}
        command |= {"sessionId": self.session} if self.session else {}
        os.write(self.to_browser, json.dumps(command).encode() + b"\0")
        while (answer := self.receive()).get("id") != self.last_id:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def open(self, address, width=1280, height=844, dark=False):
        """Load an address in a window of so many CSS pixels; one narrower than 600 is a phone."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.send("Emulation.setEmulatedMedia", features=scheme)
        self.send("Page.navigate", url=address)
        while self.receive().get("method") != "Page.loadEventFired":
            pass

    def ask(self, expression):
        """The value of a JavaScript expression."""
        return self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)["result"].get("value")

    def answers(self, part):
        """[(status, body)] of the finished requests whose address contains `part`."""
        return [
            (response["status"], self.send("Network.getResponseBody", requestId=request)["body"])
            for request, response in list(self.responses.items())
            if part in response["url"] and request in self.finished
        ]

    def screenshot(self, path, **clip):
        picture = self.send(
            "Page.captureScreenshot", captureBeyondViewport=not clip, **({"clip": clip | {"scale": 1}} if clip else {})
        )
        path.write_bytes(base64.b64decode(picture["data"]))

    def pdf(self, path):
        path.write_bytes(base64.b64decode(self.send("Page.printToPDF", printBackground=False, preferCSSPageSize=True)["data"]))


def wait_for(condition, seconds, otherwise):
    """Return once the condition holds; fail with a sentence after so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, otherwise
        time.sleep(0.25)
