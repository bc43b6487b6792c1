"""The environment as settings read it: what can't be read stops the start with one sentence instead of a traceback."""

from __future__ import annotations

from typing import Any, NoReturn

import environ


def refuse_to_start(sentence: str) -> NoReturn:
    """End the process before it begins, with one sentence that says what to do instead of a traceback."""
    raise SystemExit(f"War and Peace does not start. {sentence}")


class Environment(environ.FileAwareEnv):  # type: ignore[misc]
    """Variables, or the files that `NAME_FILE` names. No sentence repeats a value: it may be a secret."""

    def get_value(self, var: str, *args: Any, **options: Any) -> Any:
        """The variable's value, else its default. Ends the process if the value isn't of its kind."""
        try:
            return super().get_value(var, *args, **options)
        except ValueError:
            refuse_to_start(f"Set {var} to a value of its kind: .env.example describes it.")
        except OSError as error:
            refuse_to_start(f"Set {var}_FILE to a file that can be read ({error.strerror}).")

    def one_of(self, var: str, *names: str, default: str) -> str:
        """The variable's value, which must be one of these names, else its default. Ends the process if it is not."""
        value = str(self.str(var, default=default))
        if value not in {*names, default}:
            refuse_to_start(f"Set {var} to {', '.join(names[:-1])} or {names[-1]}.")
        return value
