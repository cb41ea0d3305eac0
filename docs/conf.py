"""How Sphinx builds the site: `make docs`.

Nothing is loaded from a network, neither by the build nor by the pages: furo brings its own styles
and scripts, the search is Sphinx's own, and formulas are MathML, which browsers draw themselves.
"""

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "lammps-botan"
author = "the lammps-botan developers"
project_copyright = author
version = release = metadata.version(project)

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_click",
    "sphinx_copybutton",
    # of this folder
    "lammps_lexer",
    "mathml",
    "package_pages",
    "plain_docstrings",
    "wide_pictures",
]
exclude_patterns = ["_build", "extensions"]
templates_path = ["_templates"]
language = "en"
highlight_language = "text"
nitpicky = False
smartquotes = False  # "cpu" and --fallback are typed as they stand

myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {
    "members": True,
    "show-inheritance": True,
    "no-value": True,
    "ignore-module-all": True,  # each name stands where it is defined
}
numpydoc_show_class_members = False  # autodoc shows them

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True

html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"lammps-botan {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
