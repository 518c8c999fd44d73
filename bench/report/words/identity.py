"""Authors of a report: a TOML file with title, authors, course, logo and own paragraphs."""

import base64
import datetime as dt
import io
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bench.config import mistakes
from bench.errors import UserError
from bench.interfaces import JsonObject

MOST_BYTES = 200_000  # of the file; a logo may have ten times as many
LOGO_BYTES, LOGO_SIDE = 2_000_000, 4000  # bytes, pixels
LOGO_KINDS = {"PNG": "image/png", "JPEG": "image/jpeg"}
# Where own paragraphs may stand: the sections of the report.
SECTIONS = (
    "introduction",
    "exercise_1",
    "exercise_2",
    "exercise_3",
    "exercise_4",
    "exercise_5",
    "claims",
    "discussion",
    "conclusions",
    "limitations",
    "reproduce",
)
# Characters that a line of text has no use for: controls, and those that turn its direction.
UNSEEN = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069"
Line = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=200, pattern=rf"^[^\t\n{UNSEEN}]*$"
    ),
]
Prose = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=20_000, pattern=rf"^[^{UNSEEN}]*$")
]
Address = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=300, pattern=r"^https?://[^\s<>\"]+$")
]
Mail = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^@\s<>\"]+@[^@\s<>\"]+$"),
]
Code = Literal["en", "es"]


class _Table(BaseModel):
    """A table of the file: frozen, and no key but those listed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Author(_Table):
    """One author."""

    name: Line = Field(description="Name as it is printed.")
    number: Line | None = Field(default=None, description="Student number.")
    mail: Mail | None = Field(default=None, description="Address for mail.")


def _in_languages(kind: Any) -> Any:
    """A text for every language, or a table of texts by language."""
    return kind | dict[Code, kind] | None


class Identity(_Table):
    """Title, authors, course and own paragraphs of a report.

    Texts are strings, or tables by language: ``title = { en = "...", es = "..." }``.
    """

    title: _in_languages(Line) = Field(default=None, description="Title of the report.")  # type: ignore[valid-type]
    authors: tuple[Author, ...] = Field(default=(), description="Who hands in, in this order.")
    course: _in_languages(Line) = Field(default=None, description="Course.")  # type: ignore[valid-type]
    university: _in_languages(Line) = Field(default=None, description="University.")  # type: ignore[valid-type]
    teacher: Line | None = Field(default=None, description="Teacher.")
    place: Line | None = Field(default=None, description="Where it is handed in.")
    date: dt.date | None = Field(default=None, description="When it is handed in.")
    logo: str | None = Field(
        default=None,
        description="A PNG or JPEG file, relative to the TOML file; once read, its data URI.",
    )
    language: Code | tuple[Code, ...] | None = Field(
        default=None, description="Language or languages of the report, instead of the profile's."
    )
    repository: Address | None = Field(default=None, description="Where the code can be had.")
    text: dict[Literal[SECTIONS], _in_languages(Prose)] = Field(  # type: ignore[valid-type]
        default={}, description="Own paragraphs by section, in Markdown."
    )

    def said(self, name: str, code: str) -> str | None:
        """Return one of the texts in a language, or in the only one that it is given in.

        Parameters
        ----------
        name : str
            Key of the text.
        code : str
            Code of a language, such as es.

        Returns
        -------
        str or None
            The text.
        """
        return in_language(getattr(self, name), code)

    def paragraphs(self, section: str, code: str) -> str | None:
        """Return the own paragraphs of a section, as Markdown.

        Parameters
        ----------
        section : str
            Name of the section.
        code : str
            Code of a language, such as es.

        Returns
        -------
        str or None
            The text.
        """
        return in_language(self.text.get(section), code)

    @property
    def languages(self) -> tuple[str, ...] | None:
        """Languages of the report; None: the profile's."""
        if self.language is None or isinstance(self.language, tuple):
            return self.language or None
        return (self.language,)


def in_language(text: str | Mapping[str, str] | None, code: str) -> str | None:
    """Return a text in a language; one that is given in another language only, in that one.

    Parameters
    ----------
    text : str, mapping of str to str, or None
        A text, or one for each language.
    code : str
        Code of a language, such as es.

    Returns
    -------
    str or None
        The text.
    """
    if text is None or isinstance(text, str):
        return text
    return text.get(code) or next(iter(text.values()), None)


def load_identity(path: Path) -> Identity:
    """Read the table ``[report]`` of a TOML file.

    Raises
    ------
    UserError
        If the file cannot be read, is larger than `MOST_BYTES`, is not TOML, holds an unknown key
        or a value that is not allowed, or names a logo that is no PNG or JPEG.
    """
    content = read_toml(path)
    try:
        found = _File.model_validate(content).report
    except ValidationError as error:
        raise UserError(
            f"{path} does not describe a report. Nothing was rendered; mend these keys:\n"
            + mistakes.listed(error, mistakes.keys(_File))
        ) from error
    if found.logo is None:
        return found
    return found.model_copy(update={"logo": _picture(path.parent / found.logo, path)})


class _File(_Table):
    report: Identity = Field(description="Who hands in what.")


def read_toml(path: Path) -> JsonObject:
    """Read a small TOML file that a user named.

    Raises
    ------
    UserError
        If it cannot be read, is too large, or is not TOML in UTF-8.
    """
    try:
        size = path.stat().st_size
        if not path.is_file() or size > MOST_BYTES:
            raise UserError(
                f"{path}: expected a TOML file of at most {MOST_BYTES:,} bytes, got "
                f"{f'{size:,} bytes' if path.is_file() else 'something else'}. Nothing was "
                "rendered; shorten its texts, or name another file."
            )
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"{path} cannot be read: {error.strerror}. Nothing was rendered; check the path."
        ) from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else error
        raise UserError(
            f"{path} is not valid TOML in UTF-8: {reason}. Nothing was rendered; mend that place."
        ) from error


def _picture(path: Path, named_in: Path) -> str:
    """Check a logo and return it as a data URI."""
    from PIL import Image, ImageFile

    # WeasyPrint lets Pillow fill the missing end of a file with grey, for the whole process
    lenient, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= LOGO_BYTES else b""
        with Image.open(io.BytesIO(data)) as picture:
            picture.verify()
        with Image.open(io.BytesIO(data)) as picture:  # which cannot be read after it was verified
            kind, sides = picture.format or "", picture.size
            picture.load()
    except FileNotFoundError as error:
        raise UserError(
            f"{named_in}, report.logo: there is no file {path}. Nothing was rendered; mend the "
            "path (it is relative to the TOML file), or leave the logo out."
        ) from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _no_logo(path, named_in) from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient
    if kind not in LOGO_KINDS or max(sides) > LOGO_SIDE:
        raise _no_logo(path, named_in)
    return f"data:{LOGO_KINDS[kind]};base64,{base64.b64encode(data).decode()}"


def _no_logo(path: Path, named_in: Path) -> UserError:
    return UserError(
        f"{named_in}, report.logo: expected a whole PNG or JPEG of at most {LOGO_BYTES:,} bytes "
        f"and {LOGO_SIDE} pixels a side, got {path}. Nothing was rendered; save the logo as PNG, "
        "or leave it out."
    )
