"""Sphinx configuration: pages by hand, and pages made from the code's own objects (``_ext``)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import hedgetheory

project = "hedgetheory"
author = "The hedgetheory developers"
project_copyright = "MIT licence"
version = release = hedgetheory.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "from_code",
    "mathml",
]
html_math_renderer = "mathml"
exclude_patterns = ["_build", "_ext", "README.md"]
default_role = "code"
html_theme = "furo"
html_title = f"hedgetheory {version}"
html_static_path: list[str] = []

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
# Notebooks run from scratch, and an error in one fails the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_execution_show_tb = True

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
