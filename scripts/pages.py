"""The templates of pages, which stand beside the scripts."""

from pathlib import Path

import jinja2


def rendered(template, filters, **values):
    """The text of a page: a template filled in with values, and with functions as filters under their own names."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {function.__name__: function for function in filters}
    return environment.get_template(template).render(values)
