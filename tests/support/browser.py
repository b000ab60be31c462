"""A browser, as far as the server sees one: a cookie, an origin, forms."""

from support.people import Visitor


class Browser(Visitor):
    """A browser that shows the server's own pages."""

    def __init__(self, url):
        super().__init__(url, {"Origin": url, "Sec-Fetch-Site": "same-origin"})

    def signs_in(self, user, password="", **fields):
        return self.asks("POST", "/login", data={"user": user, "password": password, **fields})

    def signs_out(self):
        return self.asks("POST", "/logout")

    @property
    def cookie(self):
        """The sign-in cookie, if there is one."""
        cookies = list(self.client.cookies)
        return cookies[0] if cookies else None

    @property
    def token(self):
        """The access token in it."""
        return self.cookie.value
