# Before a restore changes anything it looks at all it needs, and names all that is missing at once.
use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use FindBin;
use lib "$FindBin::RealBin/../perl";
use CommandLine;
use PgBackup;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_cluster('preflight', log_statement => 'ddl');
my $store = $node->basedir . '/store';
my $space = $node->basedir . '/space';
mkdir $space or die;

sub sql
{
	return $node->safe_psql('postgres', $_[0]);
}

# A backup's folder, and the text of its manifest, changed so that the catalog still takes it for the same.
sub folder_of
{
	my ($id) = @_;
	return "$store/" . row_of($node, $id)->{file_name};
}

sub change_manifest
{
	my ($id, $change) = @_;
	my $file = folder_of($id) . '/manifest.json';
	local $_ = read_file($file);
	$change->();
	open my $handle, '>:raw', $file or die;
	print $handle $_;
	close $handle or die;
	sql(sprintf q{UPDATE pgbackup.backups SET checksum = '%s' WHERE id = %d}, sha256_hex($_), $id);
	return;
}

# A restore that must fail, and leave nothing: message, detail and hint.
sub failed_restore
{
	my ($arguments, $title) = @_;
	my $databases = q{SELECT string_agg(oid::text, ' ' ORDER BY oid) FROM pg_database};
	my ($before, $log) = (sql($databases), -s $node->logfile);
	my $id = start_restore($node, $arguments);
	is(finished($node, $id), 'failed', $title);
	is(sql($databases), $before, 'there is no other database than before');
	unlike(substr(read_file($node->logfile), $log), qr/CREATE (DATABASE|ROLE)/, 'nor has there been one, nor a role');
	return row_of($node, $id, 'restores');
}

# A dry run: its status and its row. Nothing is changed by it.
sub dry_run
{
	my ($arguments) = @_;
	my $everything = q{SELECT (SELECT string_agg(d::text, ' ' ORDER BY oid) FROM pg_database d),
		(SELECT string_agg(r::text, ' ' ORDER BY oid) FROM pg_authid r), (SELECT count(*) FROM pg_auth_members)};
	my ($before, $log) = (sql($everything), -s $node->logfile);
	my $id = start_restore($node, "$arguments, dry_run => true");
	my $status = finished($node, $id);
	is(sql($everything), $before, 'a dry run changes nothing');
	unlike(substr(read_file($node->logfile), $log), qr/(statement|execute [^:]*): (CREATE|ALTER|DROP|GRANT|COMMENT)/, 'not even for a moment');
	return ($status, row_of($node, $id, 'restores'));
}

# Changes one byte in the middle of a file.
sub damage
{
	my ($file) = @_;
	open my $handle, '+<:raw', $file or die;
	seek $handle, (-s $file) / 2, 0 or die;
	read $handle, my $byte, 1 or die;
	seek $handle, -1, 1 or die;
	print $handle chr(ord($byte) ^ 1);
	close $handle or die;
	return;
}

sub drop_all
{
	sql('DROP DATABASE IF EXISTS back');
	sql('DROP DATABASE IF EXISTS shop');
	sql('DROP TABLESPACE IF EXISTS fast');
	sql('DROP ROLE IF EXISTS shop_owner, shop_reader, late_owner, "Late ""Reader""", late_policy, late_group');
	return;
}

# What the roles of the tests are.
sub roles_as_text
{
	return sql(q{SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolconnlimit, rolvaliduntil,
			rolconfig, shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname ~ '^(late_|Late)' ORDER BY 1});
}

sub memberships
{
	return sql(q{SELECT roleid::regrole::text, member::regrole::text, admin_option FROM pg_auth_members
		WHERE roleid::regrole::text ~ '^(late_|shop_)' ORDER BY 1, 2});
}

# What a database is, but for where its tables are.
sub without_tablespaces
{
	my ($database) = @_;
	return join "\n", map { s/; Tablespace: .*//r } grep { !/^(SET default_tablespace.*)?$/ }
	  split /\n/, database_as_text($node, $database);
}

sql('CREATE ROLE late_owner CREATEDB CONNECTION LIMIT 3');
sql(q{CREATE ROLE "Late ""Reader""" LOGIN PASSWORD 'secret' VALID UNTIL '2099-01-01 00:00:00+00'});
sql('CREATE ROLE late_policy SUPERUSER NOINHERIT');
sql(q{COMMENT ON ROLE late_owner IS E'it''s; late \\\\ here'});
sql(q{ALTER ROLE late_owner SET search_path = 'a', 'b; c'});
sql('CREATE ROLE late_group');
sql('GRANT late_group, late_owner TO "Late ""Reader""" WITH ADMIN OPTION');
sql("CREATE TABLESPACE fast LOCATION '$space'");
sql('CREATE DATABASE shop');
$node->safe_psql('shop', read_file(fixture('fixtures/small.sql')));
sql('GRANT shop_reader TO late_owner');
$node->safe_psql('shop', q{
	CREATE TABLE sales.fast (i int) TABLESPACE fast;
	INSERT INTO sales.fast SELECT generate_series(1, 100);
	ALTER TABLE sales.fast OWNER TO late_owner;
	GRANT SELECT ON sales.fast TO "Late ""Reader""";
	CREATE POLICY p ON sales.fast TO late_policy USING (i > 50);
});
my $parallel = start_backup($node, q{'shop', format => 'parallel'});
is(finished($node, $parallel), 'completed', 'a backup in parallel format');
my $custom = start_backup($node, q{'shop', format => 'custom'});
is(finished($node, $custom), 'completed', 'a backup in custom format');
my $plain = start_backup($node, q{'shop', format => 'plain'});
is(finished($node, $plain), 'completed', 'a backup in plain format');

restart_settings($node, 'pgbackup.include_globals' => 'off');
my $without_globals = start_backup($node, q{'shop'});
is(finished($node, $without_globals), 'completed', 'a backup without roles');
my $roles = roles_as_text();
my $memberships = memberships();

my $superuser = sql('SELECT current_user');
is(sql(qq{SELECT r FROM pgbackup.backups, jsonb_array_elements_text(manifest->'requires'->'roles') r WHERE id = $custom}),
	join("\n", sort 'Late "Reader"', 'late_owner', 'late_policy', 'shop_owner', 'shop_reader', $superuser), 'the manifest names the roles');
is(sql("SELECT manifest->'requires'->>'tablespaces' FROM pgbackup.backups WHERE id = $custom"), '["fast"]',
	'and the tablespaces');
is(sql("SELECT manifest->'requires'->>'extensions' FROM pgbackup.backups WHERE id = $custom"), '[]', 'of extensions there are none');
is(sql(q{SELECT e->>'name' FROM pgbackup.backups, jsonb_array_elements(manifest->'requires'->'extensions') e}), '',
	'plpgsql is everywhere');
my $home = start_backup($node, q{'postgres'});
is(finished($node, $home), 'completed', 'a backup of a database with an extension');
is(sql(qq{SELECT e->>'name', e->>'schema' FROM pgbackup.backups, jsonb_array_elements(manifest->'requires'->'extensions') e
	WHERE id = $home}), 'pgbackup|pgbackup', 'names that one');

# Dry runs, of a target that is new, empty, to be replaced, in the way.
my ($status, $row);
for my $backup ([ $parallel, 'parallel' ], [ $custom, 'custom' ], [ $plain, 'plain' ])
{
	my ($id, $format) = @$backup;
	($status, $row) = dry_run("$id, 'back'");
	is($status, 'completed', "$format: a dry run") or diag(explain($row));
	is($row->{mode}, 'dry_run', 'is told from a restore');
	my $what = $format eq 'plain' ? 'all of the backup' : '5 tables';
	like($row->{message}, qr/^nothing was changed: $what would be restored into the new database "back", \d+ (bytes|kB) to read$/,
		'it says what would be done');
	like($row->{detail}, qr/^Database "back" would be made\. \| .*\d objects? would be read, .* SHA-256 and compression are right/, 'and what it has read');
	my $archives = { parallel => '2 archives', custom => '1 archive' }->{$format};
	like($row->{detail}, qr/pg_restore lists \d+ entries in $archives/, 'and listed') if defined $archives;
	like($row->{detail}, qr/It takes about \d+ [kMG]B on the disk; \d+ [kMGTP]B are free/, 'and how much room it takes');
	like($row->{detail}, qr/How long it takes is unknown/, 'how long, nobody knows yet');
}
($status, $row) = dry_run("$parallel, 'back', tables => '{stock.items}'");
like($row->{message}, qr/1 table would/, 'of a part too');
my (undef, undef, $notices) = $node->psql('postgres', "CALL pgbackup.run_restore($custom, 'shop', replace => true, dry_run => true)");
like($notices, qr/NOTICE:  dry run \d+ of backup $custom into database shop completed in .*: nothing was changed: /, 'a notice tells it');
like($notices, qr/Database "shop" would be replaced and kept under another name\./, 'with the details');
change_manifest($home, sub { s/("name":"pgbackup","version":)"[^"]*"/$1"0.9"/ or die });
($status, $row) = dry_run("$home, 'home_again'");
is($status, 'completed', 'an extension in another version hinders nothing') or diag(explain($row));
like($row->{detail}, qr/Note: extension "pgbackup" has version [\d.]+ here, the backup has 0\.9, which is not available/, 'but is told');
($status, $row) = dry_run("$custom, 'shop'");
is($status, 'failed', 'without replace a dry run fails as the restore would');
like($row->{message}, qr/database "shop" is not empty/, 'for the same reason');

# The command line can do without tablespaces, but not where SQL names them.
my $in_fast = q{SELECT count(*) FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE t.spcname = 'fast'};
is($node->safe_psql('shop', $in_fast), 1, 'a table is in a tablespace');
sub without_tablespace
{
	my ($id) = @_;
	return pgbackup($node, 'restore', $id, '--target-database', 'back', '--no-tablespaces', '-s', "file://$store",
		'-h', $node->host, '-p', $node->port);
}
for my $id ($parallel, $custom)
{
	my ($exit, undef, $err) = without_tablespace($id);
	is($exit, 0, "backup $id without tablespaces") or diag($err);
	unlike($err, qr/tablespace/, 'there is nothing to remark');
	is($node->safe_psql('back', $in_fast), 0, 'the table is elsewhere');
	is($node->safe_psql('back', 'SELECT count(*) FROM sales.fast'), 100, 'with its rows');
	sql('DROP DATABASE back');
}
my ($exit, undef, $err) = without_tablespace($plain);
is($exit, 1, 'a plain backup cannot');
like($err, qr/in plain format cannot be restored without its tablespaces.*"fast"/s, 'which is said');

# Roles are missing: which, and the SQL that makes them.
my $source = without_tablespaces('shop');
my $all_roles = qr/"Late ""Reader""", "late_owner", "late_policy", "shop_owner", "shop_reader"/;
drop_all();
for my $backup ($parallel, $custom, $plain)
{
	$row = failed_restore("$backup, 'back'", 'roles are missing');
	like($row->{message}, qr/roles are missing here: $all_roles/, 'the message names them');
	like($row->{detail}, qr/backup $backup .*$all_roles/, 'the detail too');
	is($row->{sqlstate}, '42704', 'its SQLSTATE says that something does not exist');
}
like($row->{message}, qr/tablespace does not exist here: "fast"/, 'a plain backup cannot do without its tablespace either');
my ($create) = $row->{hint} =~ /(CREATE ROLE[^|]*;)/ or diag($row->{hint});
sql($create);
is(sql(q{SELECT count(*) FROM pg_roles WHERE rolname ~ '^(shop_|late_|Late)'}), 5,
	'the SQL in the hint makes them');

like($row->{hint}, qr/create_roles => true/, 'or how to have them made');

# With create_roles they are made as they were, but for their passwords. Those that exist are left alone.
drop_all();
sql('CREATE ROLE shop_owner CONNECTION LIMIT 11');
sql('CREATE ROLE late_group');
$row = failed_restore("$without_globals, 'back', create_roles => true", 'a backup without roles cannot make them');
like($row->{message}, qr/roles are missing here: "Late ""Reader""", "late_owner", "late_policy", "shop_reader"/, 'which ones is said');
like($row->{detail}, qr/pgbackup.include_globals was off/, 'and why');
is(sql(q{SELECT count(*) FROM pg_roles WHERE rolname ~ '^(shop_|late_|Late)'}), 2, 'none is made');
($status, $row) = dry_run("$parallel, 'back', create_roles => true");
is($status, 'completed', 'a dry run that would make roles');
like($row->{detail}, qr/Roles would be created: "Late ""Reader""", "late_owner", "late_policy", "shop_reader"; superusers: "late_policy"/, 'tells which');
like($row->{detail}, qr/Note: a tablespace does not exist here: "fast"/, 'and which tablespace is missing');
($status, $row) = dry_run("$parallel, 'back'");
is($status, 'failed', 'without create_roles it fails');
like($row->{message}, qr/roles are missing here: "Late/, 'as the restore would');
my $made = start_restore($node, "$parallel, 'back', create_roles => true");
is(finished($node, $made), 'completed', 'a restore that makes the roles it needs') or diag(explain(row_of($node, $made, 'restores')));
like(row_of($node, $made, 'restores')->{message},
	qr/roles were created: "Late ""Reader""", "late_owner", "late_policy" \(superuser\), "shop_reader"/, 'says which, and which is a superuser');
is(roles_as_text(), $roles, 'the roles are as they were');
is(memberships(), $memberships, 'also in one another');
is(sql(q{SELECT count(*) FROM pg_authid WHERE rolpassword IS NOT NULL}), 0, 'but have no passwords');
is(sql(q{SELECT rolconnlimit FROM pg_roles WHERE rolname = 'shop_owner'}), 11, 'a role that was there is not altered');
ok(without_tablespaces('back') eq $source, 'owners and privileges are as they were');
sql('DROP DATABASE back');

# Tablespaces are not worth a failure, but worth a word.
for my $backup ($parallel, $custom)
{
	my $id = start_restore($node, "$backup, 'back'");
	is(finished($node, $id), 'completed', 'without its tablespace a backup is restored') or diag(explain(row_of($node, $id, 'restores')));
	like(row_of($node, $id, 'restores')->{message}, qr/a tablespace does not exist here: "fast", so everything goes/, 'which is said');
	ok(without_tablespaces('back') eq $source, 'everything is there, with owner, privileges and policy');
	sql('DROP DATABASE back');
}

# Of a part only what it needs.
drop_all();
sql('CREATE ROLE shop_owner; CREATE ROLE shop_reader');
for my $backup ($parallel, $custom)
{
	sql("CALL pgbackup.run_restore($backup, 'back', tables => '{stock.items}')");
	sql('DROP DATABASE back');
}
pass('a part that needs none of the roles is restored');
$row = failed_restore("$custom, 'back', tables => '{sales.fast}'", 'one that does is not');
like($row->{message}, qr/roles are missing here: "Late ""Reader""", "late_owner", "late_policy"$/, 'for the same reason');

# Damaged objects of the right size: a dry run reads them, and names every one.
($status, $row) = dry_run("$parallel, 'back', create_roles => true");
is($status, 'completed', 'before, all is well');
like($row->{detail}, qr/It takes about \d+ seconds?, going by earlier restores/, 'by now it is known how long it takes');
damage(folder_of($custom) . '/database.dump.zst');
($status, $row) = dry_run("$custom, 'back', create_roles => true");
is($status, 'failed', 'a dry run of a damaged backup fails');
like($row->{message}, qr/object ".*database\.dump\.zst" .*damaged/, 'and names the object');
is($row->{sqlstate}, 'XX001', 'its SQLSTATE says that data is corrupted');
damage(folder_of($custom) . '/database.dump.zst');

# A damaged storage: sizes are looked at before anything is read or made.
my $archive = folder_of($custom) . '/database.dump.zst';
my $content = read_file($archive);
truncate $archive, length($content) - 1 or die;
$row = failed_restore("$custom, 'back', tables => '{stock.items}'", 'an object is cut off');
like($row->{message}, qr/object ".*database\.dump\.zst" is damaged/, 'which is said');
like($row->{detail}, qr/It has \d+ bytes, \d+ were stored/, 'with its size');

# All at once. What this server cannot be made to lack is written into the manifest.
unlink $archive or die;
change_manifest($custom, sub {
	s/"extensions":\[\]/"extensions":[{"name":"no_such_extension","version":"1.5","schema":"public"}]/ or die;
	s/"server_version_num":\d+/"server_version_num":990000/ or die;
	s/"collate":"[^"]*"/"collate":"xx_XX.UTF-8"/ or die;
	s/"database_size":\d+/"database_size":8000000000000000000/ or die;
	s/"raw_size":\d+/"raw_size":4000000000000000000/ or die;
});
sql('CREATE DATABASE back');
$node->safe_psql('back', 'CREATE TABLE in_the_way (i int)');
$row = failed_restore("$custom, 'back'", 'all kinds of things are missing');
for my $what (
	qr/^backup $custom cannot be restored: /,
	qr/database "back" is not empty/,
	qr/object ".*database\.dump\.zst" of the backup is missing/,
	qr/a backup of PostgreSQL 99 cannot be restored into version \d+/,
	qr/locale "xx_XX.UTF-8" does not exist/,
	qr/roles are missing here/,
	qr/an extension is not available: "no_such_extension"/,
	qr/too little room on the disk/)
{
	like($row->{message}, $what, "the message says $what");
}
for my $what (
	qr/in_the_way/,
	qr/"no_such_extension" 1.5 is not available/,
	qr/may need \d+ PB; \d+ [kMGTP]B are free in/)
{
	like($row->{detail}, $what, "the detail says $what");
}
like($row->{hint}, qr/CREATE ROLE "late_owner"/, 'the hint says how to make the roles');
like($row->{hint}, qr/Restore it into version 99 or newer/, 'and all the rest');

# A manifest of a version that did not record what is needed.
drop_all();
sql($create);
change_manifest($parallel, sub { s/"requires":\{.*?\},"tools"/"tools"/ or die });
sql("CREATE TABLESPACE fast LOCATION '$space'");
my $id = start_restore($node, "$parallel, 'back'");
is(finished($node, $id), 'completed', 'an older manifest is restored as ever') or diag(explain(row_of($node, $id, 'restores')));

$node->stop;
done_testing();
