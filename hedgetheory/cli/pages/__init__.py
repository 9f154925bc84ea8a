"""The pages that the command line writes: one file each, with nothing to load.

`markup` escapes, `style` and `script` are what a page carries, `shell` puts it together, `plot`
draws; `tuned`, `checked` and `conformance` say what is on the page of a `tune`, a `check` and a
`compare`. A template engine would be one more dependency for what escaping by type gives: text is
escaped unless it was built here.
"""
