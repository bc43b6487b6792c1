"""A whole database from one file or server to another, proved row by row.

The story is `run.transfer`. Its parts, in the order a row meets them:

    reader                     conversion               writer               proof
    ─────────────────────      ───────────────────      ────────────────     ─────────────────────────
    warandpeace/legacy  ──┐    rows of today, each      PostgreSQL: COPY     the rows are read back on
    own.py (our tables) ──┴─▶  encoded, merged or   ─▶  SQLite: executemany  another connection and must
    one read-only snapshot     quarantined              one block, one       have the same checksum as
    streams, cut in blocks     with its reason          transaction          what the source became

Three decisions carry everything:

* **The canonical form of a row is its PostgreSQL binary COPY form** (`codecs.py`), on SQLite too. It is what is
  written there, what the checksums of both sides are made of, and what decides whether two rows are the same. A value
  that has no such form (NUL, broken UTF-8, a number out of range) is what a target can't hold: quarantine.
* **A block is checkpoint, proof and memory in one.** A stream is cut by its keys into cells that are the same in
  every run. With a cell's rows, in the same transaction, the target gets one `TransferBlock`: counts, and eight bytes
  a row of what was written (`marks.py`). After a kill the cells that are there are compared and the others written.
* **Three-way comparison** (`reconcile.py`). What the source says now, what a transfer wrote last, what the target says
  now: a row is overwritten only if the source has changed and the target still holds what a transfer wrote. So a
  second run changes nothing by itself, and an editor's later change always stays.

Memory stays flat because a block is all that is ever held; what has to be known of the whole file (which addresses
are one article) lies in a temporary SQLite file (`legacy/links.py`).

Nothing is sent by a transfer: what was approved arrives as held (`publishing.holding`).
"""
