-- A setting that makes no sense is refused when it is set, not at two in the morning.
\set SHOW_CONTEXT never
ALTER SYSTEM SET pgbackup.schedule = '61 * * * *';
\echo :LAST_ERROR_SQLSTATE
ALTER SYSTEM SET pgbackup.schedule = '0 2 * *';
ALTER SYSTEM SET pgbackup.schedule = '0 0 30 2 *';
ALTER SYSTEM SET pgbackup.schedule = '0 0 2 * * *';
ALTER SYSTEM SET pgbackup.timezone = 'Mars/Olympus';
ALTER SYSTEM SET pgbackup.storage = 'ftp://host/x';
ALTER SYSTEM SET pgbackup.storage = 'file://relative';
ALTER SYSTEM SET pgbackup.storage = 'file:///a/../b';
ALTER SYSTEM SET pgbackup.storage = 's3://key:secret@bucket/x';
ALTER SYSTEM SET pgbackup.storage = 's3://bucket/x?secret_access_key=y';
ALTER SYSTEM SET pgbackup.storage = 's3://bucket/x?region=a&region=b';
ALTER SYSTEM SET pgbackup.storage = 's3://bucket/x?endpoint=host';
ALTER SYSTEM SET pgbackup.storage = 'file:///a?region=b';
ALTER SYSTEM SET pgbackup.storage_copies = 'file:///a, ftp://host/x';
ALTER SYSTEM SET pgbackup.storage_copies = 'file:///a,file:///b,file:///a/';
ALTER SYSTEM SET pgbackup.storage_copies = 's3://bucket/x?tags=a%3Db,c%3Dd';
ALTER SYSTEM SET pgbackup.storage_copies = 'file:///a,';
ALTER SYSTEM SET pgbackup.name_template = '{database}/{nope}';
ALTER SYSTEM SET pgbackup.name_template = '../{id}';
ALTER SYSTEM SET pgbackup.name_template = '{database}';
ALTER SYSTEM SET pgbackup.compression = 'zstd:99';
ALTER SYSTEM SET pgbackup.encryption_recipients = 'age1nobody';
ALTER SYSTEM SET pgbackup.encryption_recipients = 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj,';
ALTER SYSTEM SET pgbackup.identity_file = 'key';
ALTER SYSTEM SET pgbackup.manifest_key_file = 'key';
ALTER SYSTEM SET pgbackup.restore_passkey = 'correct horse';
ALTER SYSTEM SET pgbackup.format = 'zip';
ALTER SYSTEM SET pgbackup.jobs = -1;
ALTER SYSTEM SET pgbackup.max_concurrent = 0;
ALTER SYSTEM SET pgbackup.retry_count = 11;
-- (the wording of this one depends on the server's version)
\set VERBOSITY sqlstate
ALTER SYSTEM SET pgbackup.s3_part_size = '1MB';
ALTER SYSTEM SET pgbackup.s3_concurrency = 0;
ALTER SYSTEM SET pgbackup.s3_concurrency = 17;
ALTER SYSTEM SET pgbackup.retry_delay = '0';
ALTER SYSTEM SET pgbackup.lock_guard_timeout = '-1s';
\set VERBOSITY default
ALTER SYSTEM SET pgbackup.s3_endpoint = 'host:9000';
ALTER SYSTEM SET pgbackup.s3_path_style = 'maybe';
ALTER SYSTEM SET pgbackup.s3_proxy = 'http://me:secret@proxy:3128';
ALTER SYSTEM SET pgbackup.s3_proxy = 'proxy:3128';
ALTER SYSTEM SET pgbackup.s3_storage_class = 'standard';
ALTER SYSTEM SET pgbackup.s3_sse = 'aes';
ALTER SYSTEM SET pgbackup.s3_kms_key_id = 'my key';
ALTER SYSTEM SET pgbackup.s3_sse_c_key_file = 'key';
ALTER SYSTEM SET pgbackup.s3_object_lock_mode = 'strict';
ALTER SYSTEM SET pgbackup.s3_object_lock_days = -1;
ALTER SYSTEM SET pgbackup.s3_checksum = 'md5';
ALTER SYSTEM SET pgbackup.s3_tags = 'team';
ALTER SYSTEM SET pgbackup.s3_tags = 'team=a,team=b';
ALTER SYSTEM SET pgbackup.databases = '"open';
ALTER SYSTEM SET pgbackup.dump_conninfo = 'host=x password=secret';
ALTER SYSTEM SET pgbackup.dump_conninfo = 'postgresql://me:secret@host/db';
ALTER SYSTEM SET pgbackup.bin_directory = 'bin';
ALTER SYSTEM SET pgbackup.webhook_format = 'irc';
ALTER SYSTEM SET pgbackup.webhook_url_file = 'urls';
ALTER SYSTEM SET pgbackup.notify_email = 'Me <me@example.com>';
ALTER SYSTEM SET pgbackup.pre_backup_command = '/bin/true';
ALTER SYSTEM SET pgbackup.pre_backup_command = '["true"]';
-- No session changes them.
SET pgbackup.storage = 'file:///elsewhere';

SELECT name, vartype, unit, boot_val, context FROM pg_settings WHERE name LIKE 'pgbackup.%' ORDER BY name;
