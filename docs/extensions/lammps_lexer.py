"""Colors for input scripts of LAMMPS: fences of the language `lammps`."""

from typing import Any

from pygments.lexer import RegexLexer
from pygments.token import Comment, Keyword, Name, Number, Punctuation, String, Text
from sphinx.application import Sphinx


class LammpsLexer(RegexLexer):
    """The first word of a line is a command, `#` begins a comment, `$` a variable."""

    name = "LAMMPS"
    aliases = ["lammps"]  # noqa: RUF012
    tokens = {  # noqa: RUF012
        "root": [
            (r"^[ \t]*[a-z_]\w*", Keyword),
            (r"#.*", Comment.Single),
            (r'"""(.|\n)*?"""|"[^"\n]*"|\'[^\'\n]*\'', String),
            (r"\$\{\w+\}|\$\([^)\n]*\)|\$\w|\b[cfv]_\w+", Name.Variable),
            (r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?(?![\w./])", Number),
            (r"&\n[ \t]*", Punctuation),
            (r"[^\s#$\"'&]+", Text),
            (r"[\s$&\"']", Text),
        ]
    }


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the language known."""
    app.add_lexer("lammps", LammpsLexer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
