"""A whole database from one file or server to another, proved row by row.

The story is `run.transfer`. Its parts, in the order a row meets them:

    reader                     conversion               writer               proof
    ─────────────────────      ───────────────────      ────────────────     ─────────────────────────
    warandpeace/legacy  ──┐    rows of today, each      PostgreSQL: COPY     the target hashes what it
    own.py (our tables) ──┴─▶  encoded, merged or   ─▶  SQLite: executemany  has, on another connection:
    one read-only snapshot     quarantined              one block, one       each block's checksum is that
    streams, cut in blocks     with its reason          transaction          of what the source became

Three decisions carry everything:

* **The canonical form of a row is PostgreSQL's own binary form of it** (`encoding.py`), on SQLite too. It is what is
  written there (COPY), what the checksums of both sides are made of (`record_send`, so that a server makes them itself
  and nothing is read back), and what decides whether two rows are the same. Rows are encoded by the column. A value
  that has no such form (NUL, broken UTF-8, a number out of range) is what a target can't hold: quarantine.
* **A block is checkpoint, proof and memory in one.** A stream is cut by its keys into cells that are the same in
  every run. With a cell's rows, in the same transaction, the target gets one `TransferBlock`: counts, and eight bytes
  a row of what was written (`batches.py`). After a kill the cells that are there are compared and the others written.
* **Three-way comparison** (`reconcile.py`). What the source says now, what a transfer wrote last, what the target says
  now: a row is overwritten only if the source has changed and the target still holds what a transfer wrote. So a
  second run changes nothing by itself, and an editor's later change always stays.

Memory stays flat because a block is all that is ever held; what has to be known of the whole file (which addresses
are one article) lies in a temporary SQLite file (`legacy/links.py`).

What a person puts right of a row in quarantine is read in the place of what the source says (`corrections.py`). What
the program makes of its rows, the search index and the stories, is filled when they are proved (`following.py`).

Nothing is sent by a transfer: what was approved arrives as held (`publishing.holding`).
"""
