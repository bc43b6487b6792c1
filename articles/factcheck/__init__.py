"""Is what a summary says in its source? Pure and offline: texts in, findings and links between sentences out.

Each number, percentage, date, name and quotation of the summary is looked up in the article, whatever its inflection,
its scale (14,3 млрд, 14 300 миллионов) or its spelling (пять, 5). What cannot be found is a finding. A finding is a
reason to look, not a proof: the checks would rather ask once too often than let an invention through. `checking.check`
is the door; rows that keep findings know `findings` only, and need no dictionary to be read.
"""
