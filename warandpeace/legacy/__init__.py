"""The old bot's SQLite file, any generation of it, read as rows of today.

The old schema is a given: two tables at first, later up to a dozen, upgraded in place column by column. So every
table and every column may be missing, and SQLite let anything into any column. Each stream here reads one old table,
converts its rows one by one, and either gives today's rows or says why it can't. Nothing outside imports from here but
`warandpeace.transfer.sources`; when nobody comes with an old file any more, the folder and that line can go.
"""
