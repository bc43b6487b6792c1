"""What a page may load and run, as browsers are told. Read by django-csp through `settings.CONTENT_SECURITY_POLICY`."""

from __future__ import annotations

from typing import Any

from csp.constants import NONCE, SELF

# unsafe-eval: the admin theme's Alpine evaluates expressions; unsafe-inline styles: its charts and editors set them.
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE, "'unsafe-eval'"],
        "style-src": [SELF, "'unsafe-inline'"],
        "img-src": [SELF, "data:"],
        "font-src": [SELF, "data:"],
        "connect-src": [SELF],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}
