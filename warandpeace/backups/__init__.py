"""Backups that have been restored before they count, and restores that send nothing by themselves.

    making.back_up                                          restoring.restore
    ──────────────────────────────────────────────          ─────────────────────────────────────────────
    lock, clean up what was killed, room?                   lock, room?, is the file what was written?
    one snapshot: dump ─▶ encrypt ─▶ hidden folder          decrypt ─▶ a new database beside the old one
                  proof of each table ─▶ manifest           proof of each table = the manifest's?
    decrypt the file ─▶ scratch database, same proof?       migrate, hold whatever is unsent
    only then: rename to its name, retention                nobody connected? swap by a rename, keep the old one

A backup is a folder: `manifest.json` (`manifest.py`) and one file, what `pg_dump --format=custom` or SQLite's backup
API gives, encrypted by age if BACKUP_RECIPIENTS names public keys. It appears under its name whole and verified or
not at all, so whatever bears a name may be trusted; what a kill has left is hidden, never counted, and removed by the
next run.

The private keys are elsewhere. So that the very file can be read back once, it is also encrypted to a key that is made
for this backup and forgotten with the process.

The two databases differ in `engines/`; everything else is the same for both.
"""
