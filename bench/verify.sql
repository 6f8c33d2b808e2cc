-- Proves backup :backup as far as :level says, and fails when it does not prove good.
SELECT pgbackup.verify(:backup, :'level') AS run \gset
SELECT pgbackup.wait(:run) AS status \gset
SELECT status, message FROM pgbackup.restores WHERE id = :run;
SELECT 1 / (:'status' = 'completed')::int AS proved;
