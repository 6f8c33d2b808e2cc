-- :tables tables of :rows lines each, with a primary key. The same every time.
SELECT format('CREATE TABLE small_%s AS SELECT i AS id, md5((i * %s)::text) AS trace, '
              '''request '' || i * 7919 %% 100003 || '' of user '' || i * 31 %% 1999 AS line '
              'FROM generate_series(1, %s) i; ALTER TABLE small_%1$s ADD PRIMARY KEY (id)', n, n, :rows)
  FROM generate_series(1, :tables) n \gexec
