"""Answers of the API, and what a test says of them."""

# The stable codes and their status, as docs/reference/codes.md promises them.
STATUS_OF = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "unknown_connection": 404,
    "unknown_session": 404,
    "unknown_message": 404,
    "unknown_account": 404,
    "unknown_invitation": 404,
    "unknown_token": 404,
    "unknown_sign_in": 404,
    "method_not_allowed": 405,
    "taken": 409,
    "not_checked": 409,
    "too_slow": 408,
    "already_sent": 409,
    "password_is_setting": 409,
    "account_exists": 409,
    "account_disabled": 409,
    "role_is_listed": 409,
    "service_user": 409,
    "yourself": 409,
    "not_listed": 409,
    "too_large": 413,
    "unsupported_media_type": 415,
    "rate_limited": 429,
    "unavailable": 503,
}


class Answer:
    """An answer over HTTP."""

    def __init__(self, response):
        self.status = response.status_code
        self.headers = response.headers
        self.content = response.content
        self._response = response

    def __repr__(self):
        return f"{self.status} {self.text[:300]!r}"

    @property
    def text(self):
        return self._response.text

    @property
    def body(self):
        return self._response.json()

    @property
    def session(self):
        """The session that a check, uncheck or note came to."""
        return self.is_done(201 if self._response.request.method == "POST" else 200)

    def is_done(self, status=200):
        """Asserts success, and gives what the body says."""
        assert self.status == status, self
        return self.body

    def is_refused(self, code):
        """Asserts a problem of that code (RFC 9457), and gives it."""
        assert self.status == STATUS_OF[code], self
        assert self.headers["Content-Type"] == "application/problem+json", self.headers
        problem = self.body
        assert problem["code"] == code, problem
        assert problem["status"] == self.status, problem
        assert problem["title"] and problem["detail"], problem
        return problem


class Ack:
    """An answer over Socket.IO."""

    def __init__(self, content):
        self.content = content

    def __repr__(self):
        return f"ack {self.content!r}"

    @property
    def session(self):
        """The session that a check, uncheck or note came to."""
        assert self.content["ok"] is True, self
        return self.content["session"]

    def is_refused(self, code):
        """Asserts a refusal of that code, and gives it."""
        assert self.content["ok"] is False, self
        assert self.content["code"] == code, self
        assert self.content["message"], self
        return self.content
