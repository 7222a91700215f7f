"""Sphinx configuration; `sphinx-build -W -b html docs docs/_build/html` needs no network."""

import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib

matplotlib.use("agg")

import skrationale

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from api import write_api_page

write_api_page()  # before Sphinx looks which pages there are

project = "skrationale"
author = "The skrationale developers"
copyright = author  # noqa: A001
version = release = skrationale.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "api",
    "mathml",
    "results",
]
exclude_patterns = ["_build", "_ext", "_templates", "generated/results"]
templates_path = ["_templates"]
default_role = "literal"
html_math_renderer = "mathml"  # no script, so formulas need no network
toc_object_entries = False

autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's sections say the types
autodoc_member_order = "groupwise"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "gallery",
    "filename_pattern": r"plot_",
    "plot_gallery": os.environ.get("PLOT_GALLERY", "1") != "0",
    "abort_on_example_error": True,
    "within_subsection_order": "FileNameSortKey",
    "remove_config_comments": True,
    "min_reported_time": 1000,
    "show_memory": False,
    "write_computation_times": False,  # its pages fetch scripts from outside
    "show_signature": False,
    "download_all_examples": False,
    "matplotlib_animations": False,
    "capture_repr": (),
    "doc_module": ("skrationale",),
    "backreferences_dir": "generated/backreferences",
    "reference_url": {"skrationale": None},
}

html_theme = "pydata_sphinx_theme"
html_title = "skrationale"
html_baseurl = "https://skrationale.readthedocs.io/en/latest/"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "icon_links": [],
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 7,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": True,
    "show_toc_level": 2,
    "pygments_light_style": "tango",
}
html_sidebars = {"faq": [], "which_one": [], "quickstart": [], "comparison": []}
html_context = {"default_mode": "auto"}
