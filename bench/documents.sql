-- Tables of jsonb documents and texts as applications keep them, about :rows × 0.8 kB in all, in four
-- tables of different sizes with the usual indexes. The same every time.
CREATE FUNCTION pg_temp.words(seed bigint, count int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg((ARRAY['the', 'order', 'was', 'sent', 'to', 'a', 'customer', 'who', 'returned', 'it',
                             'because', 'of', 'size', 'and', 'colour', 'red', 'blue', 'green', 'parcel',
                             'late', 'please', 'refund', 'thank', 'you', 'very', 'much', 'delivery'])
                      [1 + abs(hashint8(seed * 31 + w)) % 27], ' ')
      FROM generate_series(1, count) w
$$;
CREATE FUNCTION pg_temp.document(i bigint) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('id', i, 'customer', i * 7919 % 100003, 'trace', md5(i::text),
               'lines', jsonb_build_array(
                   jsonb_build_object('sku', 'S-' || i * 31 % 50021, 'quantity', 1 + i % 7, 'price', i % 9973 / 100.0),
                   jsonb_build_object('sku', 'S-' || i * 37 % 50021, 'quantity', 1 + i % 3, 'price', i % 7919 / 100.0)),
               'note', pg_temp.words(i, 12))
$$;
-- Made once, then written again and again: farther apart than any compressor here looks back.
CREATE TEMPORARY TABLE pattern AS
    SELECT i AS id, pg_temp.document(i) AS document, pg_temp.words(i + 1, 60) AS body
      FROM generate_series(1, 300000) i;
CREATE TABLE orders (id bigint PRIMARY KEY, at timestamptz, document jsonb, body text);
CREATE TABLE tickets (LIKE orders INCLUDING ALL);
CREATE TABLE messages (LIKE orders INCLUDING ALL);
CREATE TABLE events (LIKE orders INCLUDING ALL);
SELECT format('INSERT INTO %I SELECT id + n * 300000, timestamptz ''2024-01-01 00:00:00+00'' + (id + n * 300000) * interval ''1 s'', '
              'document, body FROM generate_series(0, %s::bigint / 300000) n, pattern WHERE id + n * 300000 <= %2$s',
              name, :rows * share / 100)
  FROM (VALUES ('orders', 40), ('tickets', 30), ('messages', 20), ('events', 10)) AS t (name, share) \gexec
CREATE INDEX ON orders (at);
CREATE INDEX ON tickets (at);
CREATE INDEX ON orders ((document ->> 'customer'));
