"""What people see: one package for each page, one package or module for each terminal view.

All pages are made by one mechanism, `cuesta.report.page`. To add a page:

1. Make a folder here, `report/NAME/`, with an `__init__.py`.
2. In `NAME/page.py`, turn the results into a `Page` (plain values) and return `render(page)`.
3. In `NAME/page.html.j2`, extend `page/base.html.j2` and fill its block `content` (and `keys`, the
   page's own keys in the help dialog). Values are escaped. `page/macros.html.j2` holds the shared
   parts: the sign of an optimizer, the choice of optimizers, a picture in 2-D and 3-D.
4. In `NAME/page.js`, read `data` and call `startPage({ draw, keys })`. It follows
   `page/common.js` and `page/plots.js` in the same module, so their functions are there.
5. Where the shared look does not suffice, add rules in `NAME/page.css`.

`pyproject.toml` takes every template, style and script of these folders into the package.
"""
