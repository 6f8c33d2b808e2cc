--
-- A page to look at: HTML with everything in it. Each part is a function that gives its piece of HTML;
-- every text from outside goes through _html().
--

CREATE DOMAIN pgbackup."text/html" AS text;
COMMENT ON DOMAIN pgbackup."text/html" IS 'HTML; PostgREST serves it under this media type';

CREATE FUNCTION pgbackup._html(value text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(replace(replace(replace(replace(replace($1, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;'), '')
$$;
COMMENT ON FUNCTION pgbackup._html(text) IS 'internal: a text for HTML, between tags or quotes';

CREATE FUNCTION pgbackup._html_time(value timestamptz) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce('<time datetime="' || to_char($1 AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || '">'
                    || to_char($1, 'YYYY-MM-DD HH24:MI') || '</time>', '–')
$$;
COMMENT ON FUNCTION pgbackup._html_time(timestamptz) IS 'internal: a time, in the session''s time zone';

CREATE FUNCTION pgbackup._html_line(title text, first text, last text, points double precision[]) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    -- 100 wide, 30 high, from zero to the greatest value.
    SELECT CASE WHEN coalesce(cardinality(points), 0) < 2 THEN '' ELSE format(
               '<figure><svg role="img" aria-label="%s: %s to %s" viewBox="0 0 100 30" preserveAspectRatio="none">'
               '<polygon points="0,30 %s 100,30"/><polyline points="%s"/></svg>'
               '<figcaption>%s <b>%s</b></figcaption></figure>',
               pgbackup._html($1), pgbackup._html($2), pgbackup._html($3), l.path, l.path, pgbackup._html($1), pgbackup._html($3)) END
      FROM (SELECT string_agg(format('%s,%s', round((100.0 * (n - 1) / greatest(cardinality(points) - 1, 1))::numeric, 1),
                                     round((29 - 27 * p / nullif(m.most, 0))::numeric, 1)), ' ' ORDER BY n) AS path
              FROM unnest(points) WITH ORDINALITY AS u (p, n),
                   (SELECT greatest(max(v), 1e-9) AS most FROM unnest(points) AS v) AS m) AS l
$$;
COMMENT ON FUNCTION pgbackup._html_line(text, text, text, double precision[]) IS 'internal: a small line chart with its title and last value';

CREATE FUNCTION pgbackup._html_trends(database name) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH run AS (
        SELECT b.file_size, extract(epoch FROM b.duration)::double precision AS seconds, b.id
          FROM pgbackup.backups b
         WHERE b.database = $1 AND b.status IN ('completed', 'expired') AND b.file_size IS NOT NULL
         ORDER BY b.id DESC LIMIT 60),
    list AS (
        SELECT array_agg(file_size::double precision ORDER BY id) AS sizes, array_agg(seconds ORDER BY id) AS times FROM run)
    SELECT coalesce(
        pgbackup._html_line('Size', pg_size_pretty(sizes[1]::bigint), pg_size_pretty(sizes[cardinality(sizes)]::bigint), sizes)
        || pgbackup._html_line('Duration', round(times[1]::numeric, 1) || ' s', round(times[cardinality(times)]::numeric, 1) || ' s', times), '')
      FROM list
$$;
COMMENT ON FUNCTION pgbackup._html_trends(name) IS 'internal: size and duration of the last sixty backups of a database';

CREATE FUNCTION pgbackup._html_calendar(database name) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH run AS (
        SELECT b.created_at::date AS day, count(*) FILTER (WHERE b.status IN ('completed', 'expired')) AS good,
               count(*) FILTER (WHERE b.status = 'failed') AS bad
          FROM pgbackup.backups b WHERE b.database = $1 AND b.created_at >= current_date - 34 GROUP BY b.created_at::date),
    day AS (
        SELECT d::date AS day, coalesce(r.good, 0) AS good, coalesce(r.bad, 0) AS bad
          FROM generate_series(current_date - 34, current_date, interval '1 day') AS d LEFT JOIN run r ON r.day = d::date)
    SELECT '<ol class="days" aria-label="the last 35 days">' || string_agg(format('<li class="%s" title="%s: %s">%s</li>',
               CASE WHEN bad > 0 AND good > 0 THEN 'mixed' WHEN bad > 0 THEN 'bad' WHEN good > 0 THEN 'good' ELSE 'none' END,
               day, w.words, format('<span>%s: %s</span>', day, w.words)), '' ORDER BY day) || '</ol>'
      FROM day, LATERAL (SELECT CASE WHEN good + bad = 0 THEN 'no backup'
                                     ELSE concat_ws(', ', nullif(good, 0) || ' completed', nullif(bad, 0) || ' failed') END) AS w (words)
$$;
COMMENT ON FUNCTION pgbackup._html_calendar(name) IS 'internal: which of the last 35 days had backups of a database, and failures';

CREATE FUNCTION pgbackup._html_databases() RETURNS text
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
    -- A page of thousands of charts would be of no use to anyone: the worst come first, the rest is a table.
    WITH listed AS MATERIALIZED (
        SELECT h.*, t.stored_bytes, round(100.0 * (t.completed + t.expired) / nullif(t.completed + t.expired + t.failed, 0), 1) AS success_rate,
               row_number() OVER (ORDER BY array_position('{critical,warning,healthy}', h.status), h.database) AS place
          FROM pgbackup.health() AS h LEFT JOIN pgbackup._current_totals() AS t ON t.database = h.database)
    SELECT '<div class="cards">' || coalesce((
        SELECT string_agg(format(
               '<article class="%s"><h3>%s <span class="status">%s</span></h3>%s'
               '<dl><div><dt>Newest backup</dt><dd>%s</dd></div><div><dt>Next</dt><dd>%s</dd></div><div><dt>Stored</dt><dd>%s</dd></div>'
               '<div><dt>Success</dt><dd>%s</dd></div></dl>%s%s</article>',
               l.status, pgbackup._html(l.database), CASE WHEN l.running THEN l.status || ', running' ELSE l.status END,
               coalesce('<ul>' || (SELECT string_agg('<li>' || pgbackup._html(r) || '</li>', '' ORDER BY n)
                                     FROM unnest(l.reasons) WITH ORDINALITY AS u (r, n)) || '</ul>', ''),
               pgbackup._html_time(l.last_backup), pgbackup._html_time(l.next_backup),
               coalesce(pg_size_pretty(l.stored_bytes), '–'), coalesce(l.success_rate || ' %', '–'),
               pgbackup._html_trends(l.database), pgbackup._html_calendar(l.database)), '' ORDER BY l.place)
          FROM listed l WHERE l.place <= 30), '<p>No database is covered by pgbackup.databases.</p>') || '</div>' || coalesce((
        SELECT '<section><h2>Other databases</h2><table><thead><tr><th>Database</th><th>Status</th><th>Newest backup</th><th>Stored</th></tr></thead><tbody>'
               || string_agg(format('<tr class="%s"><td>%s</td><td><span class="status">%s</span>%s</td><td>%s</td><td>%s</td></tr>',
                      l.status, pgbackup._html(l.database), CASE WHEN l.running THEN l.status || ', running' ELSE l.status END,
                      CASE WHEN cardinality(l.reasons) > 0 THEN ': ' || pgbackup._html(l.reasons[1]) END, pgbackup._html_time(l.last_backup),
                      coalesce(pg_size_pretty(l.stored_bytes), '–')), '' ORDER BY l.place)
               || '</tbody></table></section>'
          FROM listed l WHERE l.place > 30 HAVING count(*) > 0), '')
$$;
COMMENT ON FUNCTION pgbackup._html_databases() IS 'internal: one article for each of the first thirty databases, the worst first, and a table of the others';

CREATE FUNCTION pgbackup._html_running() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT '<section><h2>Running</h2><table><thead><tr><th>Run</th><th>Database</th><th>Phase</th><th>Done</th><th>Since</th></tr></thead><tbody>'
           || string_agg(format('<tr><td>%s %s</td><td>%s</td><td>%s</td><td><progress max="100" value="%s" aria-label="%s of run %s"></progress> %s</td><td>%s</td></tr>',
                  p.kind, p.id, pgbackup._html(p.database), pgbackup._html(p.phase), coalesce(p.percent, 0), 'percent', p.id,
                  coalesce(p.percent || ' %', pg_size_pretty(p.raw_bytes)), pgbackup._html_time(p.started_at)), '' ORDER BY p.id)
           || '</tbody></table></section>'
      FROM pgbackup.progress p HAVING count(*) > 0
$$;
COMMENT ON FUNCTION pgbackup._html_running() IS 'internal: what runs now, null for nothing';

CREATE FUNCTION pgbackup._html_storage() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH used AS (
        SELECT u.key AS storage, sum(u.value::numeric) AS bytes, count(*) AS databases
          FROM pgbackup._current_totals() AS t, jsonb_each_text(t.storage_used) AS u GROUP BY u.key)
    SELECT '<section><h2>Storage</h2><table><thead><tr><th>Place</th><th>Databases</th><th>Used</th></tr></thead><tbody>'
           || string_agg(format('<tr><td>%s</td><td>%s</td><td>%s</td></tr>', pgbackup._html(storage), databases,
                                pg_size_pretty(bytes)), '' ORDER BY bytes DESC) || '</tbody></table></section>'
      FROM used HAVING count(*) > 0
$$;
COMMENT ON FUNCTION pgbackup._html_storage() IS 'internal: what the backups take where, null for nothing';

CREATE FUNCTION pgbackup._html_errors() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH failed AS (
        (SELECT 'backup' AS kind, b.id, b.database, b.finished_at, b.message, b.hint FROM pgbackup.backups b
          WHERE b.status = 'failed' ORDER BY b.id DESC LIMIT 10)
        UNION ALL
        (SELECT r.mode, r.id, r.target_database, r.finished_at, r.message, r.hint FROM pgbackup.restores r
          WHERE r.status = 'failed' ORDER BY r.id DESC LIMIT 10)
        ORDER BY id DESC LIMIT 10)
    SELECT '<section><h2>Last errors</h2><table class="errors"><thead><tr><th>Run</th><th>Database</th><th>When</th><th>What</th></tr></thead><tbody>'
           || string_agg(format('<tr><td>%s %s</td><td>%s</td><td>%s</td><td>%s%s</td></tr>', kind, id, pgbackup._html(database),
                  pgbackup._html_time(finished_at), pgbackup._html(message), '<br><small>' || pgbackup._html(hint) || '</small>'), '' ORDER BY id DESC)
           || '</tbody></table></section>'
      FROM failed HAVING count(*) > 0
$$;
COMMENT ON FUNCTION pgbackup._html_errors() IS 'internal: the last ten failures, null for none';

CREATE FUNCTION pgbackup._html_style() RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT $css$
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d8dee4;
  --good: #1a7f37; --warn: #9a6700; --bad: #cf222e; --none: #e3e7eb; --chart: #0969da; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --card: #161b22; --ink: #e6edf3; --soft: #9198a1; --line: #30363d;
  --good: #3fb950; --warn: #d29922; --bad: #ff7b72; --none: #262c36; --chart: #58a6ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 75rem; padding: 1rem; background: var(--page); color: var(--ink);
  font: 16px/1.45 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; margin-bottom: 1rem; }
header p { margin: 0; color: var(--soft); }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0 0 .5rem; display: flex; justify-content: space-between; gap: .5rem; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); gap: 1rem; }
article { background: var(--card); border: 1px solid var(--line); border-left: 5px solid var(--good); border-radius: 6px; padding: 1rem;
  min-width: 0; }
article.warning { border-left-color: var(--warn); } article.critical { border-left-color: var(--bad); }
.status { color: var(--good); white-space: nowrap; } .warning .status { color: var(--warn); } .critical .status { color: var(--bad); }
article ul { margin: 0 0 .5rem; padding-left: 1.1rem; font-size: .9rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; margin: 0 0 .75rem; }
dt, figcaption, small { color: var(--soft); font-size: .85rem; } dd { margin: 0; font-size: .9rem; } time { white-space: nowrap; }
figure { margin: 0 0 .5rem; } svg { width: 100%; height: 3rem; display: block; }
polyline { fill: none; stroke: var(--chart); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
polygon { fill: var(--chart); opacity: .12; }
.days { list-style: none; display: grid; grid-template-columns: repeat(35, 1fr); gap: 2px; margin: 0; padding: 0; }
.days li { height: 1.1rem; border-radius: 2px; background: var(--none); }
.days .good { background: var(--good); } .days .bad { background: var(--bad); }
.days .mixed { background: linear-gradient(var(--good) 50%, var(--bad) 50%); }
.days span { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.days li { position: relative; }
section { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; background: var(--card); font-size: .9rem; }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td { overflow-wrap: anywhere; } th { color: var(--soft); font-weight: 600; }
progress { width: 6rem; accent-color: var(--chart); }
@media (max-width: 40rem) {
  .errors thead { position: absolute; clip-path: inset(50%); }
  .errors tr { display: flex; flex-wrap: wrap; gap: 0 .75rem; padding: .4rem .6rem; border-bottom: 1px solid var(--line); }
  .errors td { padding: 0; border: 0; } .errors td:first-child { font-weight: 600; } .errors td:last-child { flex-basis: 100%; }
}
$css$
$$;
COMMENT ON FUNCTION pgbackup._html_style() IS 'internal: how the page looks';

CREATE FUNCTION pgbackup.dashboard() RETURNS pgbackup."text/html"
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
    SELECT concat(
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src ''none''; style-src ''unsafe-inline''; img-src data:">'
        '<link rel="icon" href="data:,"><title>Backups of ', pgbackup._html(c.name), '</title><style>', pgbackup._html_style(),
        '</style></head><body><header><h1>Backups of ', pgbackup._html(c.name), '</h1>', '<p>' || nullif(pgbackup._html(c.environment), '') || '</p>',
        '<p>PostgreSQL ', pgbackup._html(split_part(current_setting('server_version'), ' ', 1)), '</p><p>as of ',
        pgbackup._html_time(now()), ' ', pgbackup._html(current_setting('TimeZone')), '</p></header><main>',
        pgbackup._html_running(), '<h2>Databases</h2>', pgbackup._html_databases(),
        pgbackup._html_errors(), pgbackup._html_storage(), '</main></body></html>')
      FROM (SELECT coalesce(nullif(current_setting('pgbackup.cluster_name', true), ''), nullif(current_setting('cluster_name'), ''),
                            'this cluster') AS name,
                   current_setting('pgbackup.environment', true) AS environment) AS c
$$;
COMMENT ON FUNCTION pgbackup.dashboard() IS
    'a page of HTML that needs nothing else: health of each database, sizes, durations and the last days, what runs, storage and the last errors. psql -qAtXc ''select pgbackup.dashboard()'' > page.html writes it to a file';
