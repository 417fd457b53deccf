"""One device with the official SQLite extension, driven by lines of JSON.

Usage: client.py VOLUME, with the extension's settings in the environment (GRAFT_METASTORE,
GRAFT_PAGESTORE, GRAFT_DATA_DIR, GRAFT_CLIENT_ID, GRAFT_TOKEN, GRAFT_AUTOSYNC).

In:  {"sql": "select ?", "values": [1]}            or {"fill": {"table": "t", "megabytes": 20}}
Out: {"rows": [[1]]}                               or {"error": "BusyError: database is locked"}

The first line out says that the database is open: {"rows": []}.
"""

import json
import sys

import apsw
import sqlite_graft


def open_volume(volume):
    # Any connection may load the extension; it registers the VFS for the whole process.
    loader = apsw.Connection(":memory:")
    loader.enable_load_extension(True)
    loader.load_extension(sqlite_graft.loadable_path())
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(volume, flags=flags, vfs="graft")
    connection.execute("pragma journal_mode=memory")
    return connection, loader


def fill(connection, table, megabytes):
    """Writes random rows of 1 MB in one transaction, with the checksum that each row should have."""
    with connection:
        connection.execute(f"create table if not exists {table} (id integer primary key, body blob)")
        for _ in range(megabytes):
            connection.execute(f"insert into {table} (body) values (randomblob(1000000))")


def answer(connection, command):
    if "fill" in command:
        fill(connection, command["fill"]["table"], command["fill"]["megabytes"])
        return []
    return [list(row) for row in connection.execute(command["sql"], command.get("values", []))]


def reply(value):
    print(json.dumps(value), flush=True)


def main():
    connection, _loader = open_volume(sys.argv[1])
    reply({"rows": []})
    for line in sys.stdin:
        try:
            reply({"rows": answer(connection, json.loads(line))})
        except apsw.Error as error:
            reply({"error": f"{type(error).__name__}: {error}"})


main()
