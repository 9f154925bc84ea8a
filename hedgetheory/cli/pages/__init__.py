"""The pages that the command line writes: one file each, with nothing to load.

`markup` escapes, `style` and `script` are what a page carries, `shell` puts it together, `plot`
draws, `sampled` finds certified points to draw, `estimates` words what is not certified; `tuned`,
`checked` and `conformance` say what is on the page of a `tune`, a `check` and a `compare`.

A template engine would be one more dependency for what escaping by type gives: text is escaped
unless it was built here. The plots are drawn here and not by matplotlib, so that they follow the
theme of the page, need nothing installed, and no version of a package moves a byte.
"""
