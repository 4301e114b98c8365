"""The yardstick: `pgbench` running the very two statements that one call of the endpoint runs, and nothing else.

Its parameters have the form and the length of the endpoint's own; they are made by SQL expressions.
"""

import json
import math
import os
import shutil
import subprocess
import time
from pathlib import Path

import psutil
import psycopg

import tenants
from load import LoadError, Meter, Window

CLIENTS = 8
MISSING = (
    "pgbench was not found. It comes with PostgreSQL: on Debian and Ubuntu "
    "`apt-get install --no-install-recommends postgresql`; elsewhere put the folder that holds it on the PATH."
)

# The session of the application's own connections.
_SESSION = "-c lock_timeout=5s -c statement_timeout=20s -c idle_in_transaction_session_timeout=10s -c timezone=UTC"

_SETUP = """
create schema bench;
create table bench.keys (n integer primary key, hash bytea not null);
insert into bench.keys select right(id, 26)::integer, hash from api_keys;
-- like the endpoint's ids: the kind, 12 places of time, 14 of chance
create function bench.id(kind text) returns text language sql volatile as
$$ select kind || right(to_hex((extract(epoch from clock_timestamp()) * 1000000)::bigint), 12)
    || right(gen_random_uuid()::text, 14) $$;
analyze bench.keys;
"""

_SCRIPT = r"""\set n random(1, {count})
\set who case when random(1, {repeats}) = 1 then random(1, {familiar}) else random({familiar}, 1000000000000) end
\set stage random(1, {stages})
select * from api_gate((select hash from bench.keys where n = :n), 1000000, 1000000, 1000000) \gset
select * from request_interview(
    :org_id, bench.id('contact_'), 'person' || :who::text || '@example.com', 'person' || :who::text || '@example.com',
    {name}, (array[{notes}])[:stage::integer],
    {sequence}, {type}, 'deal_' || lpad(:n::text, 26, '0'), {objective},
    uuid_send(gen_random_uuid()), sha256(uuid_send(gen_random_uuid())), {addresses}, {enrollment}, bench.id('evt_'),
    null, null, 'POST /api/v1/interviews', gen_random_uuid()::text, sha256(uuid_send(gen_random_uuid())));
"""


def find() -> str | None:
    """The program, from where Debian keeps it (what is on its PATH is a script around it) or from the PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    return str(debian[-1]) if debian else shutil.which("pgbench")


def prepare(url: str, folder: Path) -> dict[tenants.Kind, Path]:
    """Make what the scripts need in the database, and write the script of each kind of call."""
    with psycopg.connect(url) as connection:
        connection.execute(_SETUP)
    scripts: dict[tenants.Kind, Path] = {}
    for kind in tenants.KINDS:
        link = kind == "link"
        scripts[kind] = folder / f"{kind}.sql"
        scripts[kind].write_text(
            _SCRIPT.format(
                count=tenants.COUNT,
                repeats=tenants.REPEATS,
                familiar=tenants.FAMILIAR,
                stages=len(tenants.STAGES),
                name=_quoted(tenants.NAME),
                notes=", ".join(_quoted(json.dumps(tenants.context(stage), indent=2)) for stage in tenants.STAGES),
                objective=_quoted(tenants.OBJECTIVE),
                sequence="null" if link else "'seq_' || lpad(:n::text, 26, '0')",
                type="'type_' || lpad(:n::text, 26, '0')" if link else "null",
                addresses="'{}'" if link else "array[sha256(uuid_send(gen_random_uuid()))]",
                enrollment="null" if link else "bench.id('enr_')",
            )
        )
    return scripts


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def run(program: str, url: str, script: Path, folder: Path, *, ramp: float, seconds: float, meter: Meter) -> Window:
    """Run a script for `ramp` + `seconds` seconds and report on the latter, out of pgbench's log. Raises LoadError."""
    for old in folder.glob("log.*"):
        old.unlink()
    process = subprocess.Popen(
        [
            program, "-M", "prepared", "-c", str(CLIENTS), "-j", "1", "-n", "-T", str(math.ceil(ramp + seconds + 0.2)),
            "-f", str(script), "-l", "--log-prefix", str(folder / "log"), url,
        ],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "PGOPTIONS": _SESSION},
    )  # fmt: skip
    time.sleep(ramp)
    before, own_before, opened = meter(), _used(process.pid), time.time()
    time.sleep(seconds)
    closed, own_after, after = time.time(), _used(process.pid), meter()
    said, _ = process.communicate()
    if process.returncode != 0 or "aborted" in said:
        raise LoadError(f"pgbench: {said}")
    latencies: list[float] = []
    for log in folder.glob("log.*"):
        for line in log.read_text().splitlines():
            # client, transaction, microseconds, script, when it ended: seconds, microseconds
            _, _, took, _, second, microsecond = line.split()
            if opened <= int(second) + int(microsecond) / 1e6 < closed:
                latencies.append(int(took) / 1000)
    return Window(
        seconds=closed - opened,
        latencies=sorted(latencies),
        cpu={group: after[group] - before[group] for group in after},
        own_cpu=own_after - own_before,
    )


def _used(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system
