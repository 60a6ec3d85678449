"""A ledger of schema 1, literally: the statements that SQLite's dump of one gave, and what its answers digested to."""

from sqlalchemy import create_engine

STATEMENTS = [
    (
        "CREATE TABLE events ( seq INTEGER NOT NULL, uuid TEXT NOT NULL, kind TEXT NOT NULL, at TEXT NOT NULL, "
        "actor TEXT NOT NULL, stream TEXT NOT NULL, payload TEXT NOT NULL, prev TEXT, digest TEXT NOT NULL, "
        "PRIMARY KEY (seq), UNIQUE (stream, prev), UNIQUE (uuid), UNIQUE (digest) )"
    ),
    ("CREATE TABLE crs ( id INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (id), UNIQUE (text) )"),
    (
        "CREATE TABLE answers ( id INTEGER NOT NULL, event INTEGER NOT NULL, uuid TEXT NOT NULL, task_id TEXT NOT NULL, "
        "annotator TEXT NOT NULL, outcome TEXT NOT NULL, at TEXT NOT NULL, active_s FLOAT NOT NULL, shown TEXT NOT NULL, "
        "supersedes TEXT, shapes_crs INTEGER NOT NULL, ignore_crs INTEGER NOT NULL, digest TEXT NOT NULL, "
        "PRIMARY KEY (id), FOREIGN KEY(event) REFERENCES events (seq), UNIQUE (uuid), UNIQUE (supersedes), "
        "FOREIGN KEY(supersedes) REFERENCES answers (uuid), FOREIGN KEY(shapes_crs) REFERENCES crs (id), "
        "FOREIGN KEY(ignore_crs) REFERENCES crs (id) )"
    ),
    (
        "CREATE TABLE shapes ( answer INTEGER NOT NULL, position INTEGER NOT NULL, reason TEXT, label_id TEXT, "
        "class TEXT, severity TEXT, severity_scheme TEXT, confidence FLOAT, masked_share FLOAT, geometry BLOB NOT NULL, "
        "west FLOAT NOT NULL, south FLOAT NOT NULL, east FLOAT NOT NULL, north FLOAT NOT NULL, PRIMARY KEY (answer, "
        "position), FOREIGN KEY(answer) REFERENCES answers (id) )"
    ),
    ("CREATE INDEX ix_events_kind ON events (kind)"),
    ("CREATE INDEX events_by_stream ON events (stream, seq)"),
    ("CREATE INDEX ix_answers_event ON answers (event)"),
    ("CREATE INDEX ix_answers_annotator ON answers (annotator)"),
    ("CREATE INDEX ix_answers_task_id ON answers (task_id)"),
    ("CREATE INDEX ix_shapes_label_id ON shapes (label_id)"),
    ("CREATE INDEX shapes_by_place ON shapes (south, north, west, east)"),
    (
        "INSERT INTO \"events\" VALUES(1,'abd917d3-d0f7-4ade-b5d3-b4848a1ddedf','view','2026-11-23T04:55:38.414019+00:00','"
        'person:ann\',\'project\',\'{"digest":"d","id":"v"}\',NULL,\'c211d03fa00e59061b034716e3973545d40202ff1cde70eca7afdbca88'
        "01a12a')"
    ),
    (
        "INSERT INTO \"events\" VALUES(2,'212b1792-49c0-4b29-b2fd-0e74f1aa015c','answer','2026-11-23T04:55:38.708123+00:00'"
        ',\'team\',\'project\',\'{"annotators":{"person:zoë":1,"rule:burned@1":1},"n":2,"rows":"67f0972e3fe26dd8569d9f26ed86b6'
        "43b780d6ea85663ad613738dc5d3a2b339\"}','c211d03fa00e59061b034716e3973545d40202ff1cde70eca7afdbca8801a12a','a6980f"
        "b0f4c3db1db26edc897a57f77dd21644efeb49319003b8e58ae1d4b53b')"
    ),
    (
        "INSERT INTO \"events\" VALUES(3,'e700b067-6966-4efd-b2ed-4d90c0a56634','supersede','2026-11-23T04:55:38.861511+00:"
        '00\',\'person:ann\',\'v/g/0_0#burn\',\'{"annotator":"person:ann","answer":"828676eb50a4a9307962a21c98f4ffeb5ac9cd436ec'
        '9e2f00dd945f4ada9e16f","n":1,"outcome":"labeled","rows":"2e1cb20aebcc610df83f9b43355b78952c98e5004223169b5e33cb7'
        '5c9129dbf","supersedes":"one","uuid":"three"}\',NULL,\'57ce0a3c8aeb8af6329652ee169927e12ac29d33c0cd6c03224b8d570bb'
        "2f7a5')"
    ),
    ("INSERT INTO \"crs\" VALUES(1,'EPSG:32610')"),
    (
        "INSERT INTO \"answers\" VALUES(1,2,'one','v/g/0_0#burn','person:zoë','labeled','2024-07-01T12:00:00.000000+00:00',"
        "12.5,'[\"swir22\"]',NULL,1,1,'92a149c1cf505edb722764f6ebd4fddb528117729f81e9bc6a2e3026e5ab2a03')"
    ),
    (
        "INSERT INTO \"answers\" VALUES(2,2,'two','v/g/0_64#burn','rule:burned@1','empty','2024-07-01T12:00:00.000000+00:00"
        "',0.0,'[]',NULL,1,1,'9bdf4b29ed27401c64d8470d1acaa74d1ab17882847dbf7244db271ece405661')"
    ),
    (
        "INSERT INTO \"answers\" VALUES(3,3,'three','v/g/0_0#burn','person:ann','labeled','2024-07-01T12:00:00.000000+00:00"
        "',0.0,'[]','one',1,1,'828676eb50a4a9307962a21c98f4ffeb5ac9cd436ec9e2f00dd945f4ada9e16f')"
    ),
    (
        "INSERT INTO \"shapes\" VALUES(1,0,NULL,'box/0','burned','low','key-benson-dnbr',1.0,0.25,X'01030000000100000005000"
        "0000000000030891E4100000000960450410000000030891E4100000000770550410000000080841E4100000000770550410000000080841"
        "E4100000000960450410000000030891E410000000096045041',-1.23000000000000014215e+02,3.79385765346768479835e+01,-1.2"
        "2996585509891431797e+02,3.79466882736483626095e+01)"
    ),
    (
        "INSERT INTO \"shapes\" VALUES(1,1,'cloud',NULL,NULL,NULL,NULL,NULL,NULL,X'010300000001000000050000000000000070851E"
        "4100000000960450410000000070851E4100000000A50450410000000080841E4100000000A50450410000000080841E4100000000960450"
        "410000000070851E410000000096045041',-1.23000000000000014215e+02,3.79385765822248686171e+01,-1.229993171720361289"
        "11e+02,3.79391173638510323948e+01)"
    ),
    (
        "INSERT INTO \"shapes\" VALUES(3,0,NULL,'other','burned','low','key-benson-dnbr',1.0,0.25,X'01030000000100000005000"
        "0000000000030891E4100000000960450410000000030891E4100000000770550410000000080841E4100000000770550410000000080841"
        "E4100000000960450410000000030891E410000000096045041',-1.23000000000000014215e+02,3.79385765346768479835e+01,-1.2"
        "2996585509891431797e+02,3.79466882736483626095e+01)"
    ),
]
ANSWERS = {
    "one": "92a149c1cf505edb722764f6ebd4fddb528117729f81e9bc6a2e3026e5ab2a03",
    "two": "9bdf4b29ed27401c64d8470d1acaa74d1ab17882847dbf7244db271ece405661",
    "three": "828676eb50a4a9307962a21c98f4ffeb5ac9cd436ec9e2f00dd945f4ada9e16f",
}
"""uuid -> `Answer.digest`, by the geolabel of that time."""
LINKS = [
    "c211d03fa00e59061b034716e3973545d40202ff1cde70eca7afdbca8801a12a",
    "a6980fb0f4c3db1db26edc897a57f77dd21644efeb49319003b8e58ae1d4b53b",
    "57ce0a3c8aeb8af6329652ee169927e12ac29d33c0cd6c03224b8d570bb2f7a5",
]
"""Digests of its events."""
HEADER = ["PRAGMA application_id=1734700908", "PRAGMA user_version=1"]
IN_SCHEMA = [
    'CREATE SCHEMA "geolabel_project"',
    'SET search_path TO "geolabel_project", public',
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
    "INSERT INTO alembic_version VALUES ('1')",
]


def make(where):
    """Write it at a path, or into a database as `Ledger.open(url)` would find it."""
    if not isinstance(where, str):
        run(f"sqlite:///{where}", [*STATEMENTS, *HEADER])
        return
    own = [line.replace("BLOB", "BYTEA").replace("X'", "'\\x") for line in STATEMENTS]
    run(where.replace("postgresql:", "postgresql+psycopg:"), [*IN_SCHEMA, *own])


def run(url, statements):
    """Execute them as they are, behind the ledger's back."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for line in statements:
            connection.exec_driver_sql(line.replace("%", "%%"))
    engine.dispose()
