-- A table of lines as applications write them, :rows rows of about 190 bytes. The same every time.
CREATE TABLE log_lines AS
SELECT i AS id,
       timestamptz '2024-01-01 00:00:00+00' + i * interval '137 ms' AS at,
       (ARRAY['INFO', 'INFO', 'INFO', 'WARN', 'ERROR'])[1 + i % 5] AS level,
       format('request %s GET /shop/%s/items/%s?page=%s status=%s duration=%s ms user=%s trace=%s',
              i, (ARRAY['books', 'tools', 'toys', 'garden'])[1 + i * 7 % 4], i * 7919 % 100003, i % 17,
              (ARRAY[200, 200, 200, 304, 404])[1 + i * 11 % 5], i * 31 % 1999, i * 104729 % 50021,
              substr(md5(i::text), 1, 16)) AS line
  FROM generate_series(1, :rows::bigint) i;
CREATE INDEX ON log_lines (at);
