"""HTTP requests that protect the API key: no redirects, no proxy that sees content, and one deadline per request."""

import functools
import http.client
import io
import ipaddress
import ssl
import time
import urllib.parse
import urllib.request


def open_url(request: urllib.request.Request, timeout_s: float) -> http.client.HTTPResponse:
    """Sends `request` and returns the response, to be read within `timeout_s` from now; later reads raise TimeoutError.

    The host name lookup has the time limits of the system, and each address is tried for up to `timeout_s`.

    Raises OSError, HTTPException or ValueError, as urllib does.
    """
    opener = PROXIED if may_use_proxy(request.full_url) else DIRECT
    return opener.open(request, timeout=timeout_s)


def may_use_proxy(url: str) -> bool:
    """Whether a request may use a proxy: only HTTPS, whose content the proxy cannot read, and never to this host."""
    parts = urllib.parse.urlsplit(url)
    return parts.scheme == "https" and not _is_loopback((parts.hostname or "").rstrip("."))


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def http_error_302(self, req, fp, code, msg, headers) -> None:
        return None  # the redirect is then an HTTPError like any other status

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


class _TimedReads(io.RawIOBase):
    """The raw stream of a socket. Each read times out at `deadline`."""

    def __init__(self, raw: io.RawIOBase, sock, deadline: float):
        self._raw, self._sock, self._deadline = raw, sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """A response whose status line and headers, and any `100 Continue`, are also read within the deadline."""

    def __init__(self, sock, *arguments, deadline: float, **options):
        super().__init__(sock, *arguments, **options)
        self.fp = io.BufferedReader(_TimedReads(self.fp.detach(), sock, deadline))


class _Connection(http.client.HTTPConnection):
    """A connection whose deadline starts when it is created. urllib creates one per request."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.deadline = time.monotonic() + options["timeout"]
        self.response_class = functools.partial(_Response, deadline=self.deadline)  # type: ignore[assignment]

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(max(self.deadline - time.monotonic(), 0.001))  # for `sendall` as a whole


class _SecureConnection(_Connection, http.client.HTTPSConnection):
    pass


class _Handler(urllib.request.HTTPHandler):
    def http_open(self, request):
        return self.do_open(_Connection, request)


class _SecureHandler(urllib.request.HTTPSHandler):
    @functools.cached_property
    def certificates(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    def https_open(self, request):
        return self.do_open(_SecureConnection, request, context=self.certificates)


DIRECT = urllib.request.build_opener(_NoRedirect, _Handler, _SecureHandler, urllib.request.ProxyHandler({}))
PROXIED = urllib.request.build_opener(_NoRedirect, _Handler, _SecureHandler)
